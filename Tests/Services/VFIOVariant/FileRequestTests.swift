// ioctl(2) on a device's file: what the kernel answers, byte for byte, to callers that ask well and to those that do not.

import Glibc
import Leases
import Testing
import VFIOVariant

@Suite struct FileRequestTests {
    private let census = Census()

    private func open() throws -> (MemoryFunction, OpenFile) {
        let device = try MemoryFunction(census: census)
        return (device, try OpenFile(device, census: census))
    }

    @Test(arguments: [(0, EINVAL), (15, EINVAL), (16, 0), (20, 0), (24, 0), (4096, 0), (.max, 0)] as [(UInt32, Int32)])
    func deviceInfo(room: UInt32, code: Int32) throws {
        let (_, file) = try open()
        let argument = words(room, 0xAAAA_AAAA, 0xAAAA_AAAA, 0xAAAA_AAAA, 0xAAAA_AAAA, 0xAAAA_AAAA, 0xAAAA_AAAA)
        var answer: [UInt8] = []
        let error = errorCode { () throws(VFIOError) in answer = try file.request(.getInfo, argument) }
        #expect(error ?? 0 == code)
        guard code == 0 else { return }
        // PCI and resettable, 9 regions, 5 kinds of interrupts, and as much of cap_offset and padding as there is room.
        let full = words(room, 3, 9, 5, 0, 0)
        let told = min(Int(room), 24)
        #expect(answer == Array(full.prefix(told)) + argument.dropFirst(told))
    }

    /// The negotiation of argsz for a region with a capability: 64 bytes tell all.
    @Test(arguments: [0, 1, 31, 32, 33, 63, 64, 65, 4096, .max] as [UInt32])
    func regionInfoOfMemory(room: UInt32) throws {
        let (_, file) = try open()
        // What stands in the other fields is an earlier answer, or nonsense.
        let argument = words(room, .max, 2, .max, 1, 1, 1, 1) + [UInt8](repeating: 0xAA, count: 64)
        var answer: [UInt8] = []
        let error = errorCode { () throws(VFIOError) in answer = try file.request(.getRegionInfo, argument) }
        guard room >= 32 else {
            #expect(error == EINVAL)
            return
        }
        #expect(error == nil)
        #expect(answer.word(0) == (room < 64 ? 64 : room))
        #expect(answer.word(4) == 0xF, "read, write, mmap, capabilities")
        #expect(answer.word(8) == 2)
        #expect(answer.word(12) == (room < 64 ? 0 : 32))
        #expect(answer.quad(16) == MemoryFunction.barBytes)
        #expect(answer.quad(24) == 2 << 40)
        let capability: [UInt8] = [1, 0, 1, 0, 0, 0, 0, 0] + words(1, 0, 0, 0, UInt32(MemoryFunction.memoryBytes), 0)
        let behind = Array(answer[32...])
        #expect(behind == (room < 64 ? [] : capability) + argument.suffix(room < 64 ? 64 : 32))
    }

    @Test func regionInfoOfTheOthers() throws {
        let (_, file) = try open()
        func info(_ index: UInt32) throws(VFIOError) -> [UInt8] {
            try file.request(.getRegionInfo, words(32, 0, index, 0, 0, 0, 0, 0))
        }
        #expect(try info(0) == words(32, 1, 0, 0, 4096, 0, 0, 0))
        #expect(try info(7) == words(32, 3, 7, 0, 256, 0, 0, 7 << 8))
        for index: UInt32 in [1, 3, 4, 5, 6] {
            #expect(try info(index) == words(32, 0, index, 0, 0, 0, 0, index << 8), "absent: no bytes, no flags")
        }
        for index: UInt32 in [8, 9, 100, 0x8000_0000, .max] {
            #expect(errorCode { () throws(VFIOError) in _ = try info(index) } == EINVAL)
        }
    }

    @Test func interruptInfo() throws {
        let function = try Function(.inProcess)
        defer { function.finish() }
        let file = try OpenFile(function.device, census: census)
        func info(_ room: UInt32, _ index: UInt32) throws(VFIOError) -> [UInt8] {
            try file.request(.getInterruptInfo, words(room, 0, index, 0))
        }
        #expect(try info(16, 2) == words(16, 1, 2, 20), "vectors can be added one by one")
        #expect(try info(64, 0) == words(64, 7, 0, 0))
        for index: UInt32 in [1, 3, 4] { #expect(try info(16, index) == words(16, 9, index, 0)) }
        for index: UInt32 in [5, .max] {
            #expect(errorCode { () throws(VFIOError) in _ = try info(16, index) } == EINVAL)
        }
        for room: UInt32 in [0, 15] { #expect(errorCode { () throws(VFIOError) in _ = try info(room, 2) } == EINVAL) }
    }

    @Test func resetReachesTheDevice() throws {
        let (device, file) = try open()
        _ = try file.request(.reset, [0])
        #expect(device.look { $0.resets } == 1)
        device.look { $0.failure = VFIOError(EIO, "told to fail") }
        #expect(errorCode { () throws(VFIOError) in _ = try file.request(.reset, [0]) } == EIO)
        #expect(file.file.refusedCalls == 1)
    }

    @Test func deviceFeatures() throws {
        let (device, file) = try open()
        func feature(_ room: UInt32, _ flags: UInt32, _ data: [UInt8] = []) throws(VFIOError) -> [UInt8] {
            try file.request(.feature, words(room, flags) + data)
        }
        func code(_ room: UInt32, _ flags: UInt32) -> Int32? {
            errorCode { () throws(VFIOError) in _ = try feature(room, flags, [0, 0, 0, 0]) }
        }
        #expect(try feature(12, 0x1_0003, [9, 9, 9, 9]) == words(12, 0x1_0003) + [1, 2, 3, 4])
        #expect(try feature(10, 0x2_0003, [7, 8]) == words(10, 0x2_0003) + [7, 8])
        #expect(device.look { $0.features } == [[9, 9, 9, 9], [7, 8]])
        #expect(code(12, 0x1_0001) == ENOTTY)
        #expect(code(7, 0x1_0003) == EINVAL)
        #expect(code(0, 0x1_0003) == EINVAL)
        #expect(code(8, 0x1_0003) == EINVAL, "no room for the answer")
        #expect(code(12, 0x8_0003) == EINVAL, "a flag that is not known")
        #expect(code(12, 0x3_0003) == EINVAL, "to get and to set")
        #expect(code(12, 0x7_0003) == nil, "to ask whether it could be got and set")
    }

    /// A feature that would not look at its argument is not refused because the caller says that it is huge.
    @Test func aHugeArgumentIsReadAsFarAsItGoes() throws {
        let (device, file) = try open()
        let pages = CallerPages(pages: 1)
        let argument = unsafe pages.end(10)
        // SAFETY: ten bytes of the caller's page.
        for (index, byte) in (words(.max, 0x2_0003) + [5, 6]).enumerated() {
            unsafe argument.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        unsafe try file.file.ioctl(DeviceRequest.feature.rawValue, argument)
        #expect(device.look { $0.features } == [[5, 6]])
    }

    @Test(arguments: [.setInterrupts, .getPCIHotResetInfo, .pciHotReset, .ioEventDescriptor] as [DeviceRequest])
    func requestsThatAreNotHereAreNotOfThisDevice(_ request: DeviceRequest) throws {
        let (_, file) = try open()
        let argument = [UInt8](repeating: 0xAA, count: 64)
        #expect(errorCode { () throws(VFIOError) in _ = try file.request(request, argument) } == ENOTTY)
    }

    @Test(arguments: [0, 1, 0x3B64, 0x3B72, 0x3B76, 0xC020_3B6C, .max] as [UInt])
    func requestsThatNobodyKnows(_ request: UInt) throws {
        let (_, file) = try open()
        // SAFETY: no address at all.
        #expect(errorCode { () throws(VFIOError) in unsafe try file.file.ioctl(request, nil) } == ENOTTY)
    }

    /// Every request that has an argument, at an address that is none, at the end of a page, and in a page that is only read.
    @Test(arguments: [.getInfo, .getRegionInfo, .getInterruptInfo, .feature] as [DeviceRequest])
    func argumentsThatAreNotMemory(_ request: DeviceRequest) throws {
        let (_, file) = try open()
        let code = request.rawValue
        let pages = CallerPages(pages: 1)
        let question = words(4096, request == .feature ? 0x1_0003 : 0, 2, 0, 0, 0, 0, 0)
        for (index, byte) in question.enumerated() { pages[index] = byte }
        // SAFETY (all): addresses that the file must doubt.
        func attempt(_ address: UnsafeMutableRawPointer?) -> Int32? {
            errorCode { () throws(VFIOError) in unsafe try file.file.ioctl(code, address) }
        }
        #expect(attempt(nil) == EFAULT)
        #expect(unsafe attempt(UnsafeMutableRawPointer(bitPattern: 8)) == EFAULT)
        #expect(unsafe attempt(UnsafeMutableRawPointer(bitPattern: UInt.max - 7)) == EFAULT)
        #expect(unsafe attempt(UnsafeMutableRawPointer(bitPattern: 1 << 47)) == EFAULT)
        #expect(unsafe attempt(pages.end(7)) == EFAULT, "cut off")
        #expect(unsafe attempt(pages.base) == nil)
        pages.protect(PROT_READ)
        for (index, byte) in question.enumerated() where index < 4 { #expect(pages[index] == byte) }
        #expect(unsafe attempt(pages.base) == EFAULT, "not writable")
    }

    /// The room for capabilities is not there, though the caller says so: nothing is answered.
    @Test func capabilitiesThatDoNotGoAreAFault() throws {
        let (_, file) = try open()
        let pages = CallerPages(pages: 1)
        let question = words(64, 0, 2, 0, 0, 0, 0, 0)
        let place = 4096 - 40
        for (index, byte) in question.enumerated() { pages[place + index] = byte }
        // SAFETY: forty bytes of memory, then none.
        let error = errorCode { () throws(VFIOError) in
            unsafe try file.file.ioctl(DeviceRequest.getRegionInfo.rawValue, pages.end(40))
        }
        #expect(error == EFAULT)
        #expect(pages.bytes(place..<place + 32) == question, "the question stands")
    }

    @Test func theFileIsALease() throws {
        let device = try MemoryFunction(census: census)
        do {
            let file = try OpenFile(device, census: census)
            #expect(census.outstanding == ["VFIO device file": 1])
            let second = errorCode { () throws(VFIOError) in _ = try OpenFile(device, census: census) }
            #expect(second == EBUSY)
            #expect(file.file.refusedCalls == 0)
        }
        #expect(census.outstanding.isEmpty)
        #expect(device.look { !$0.isOpen && $0.opens == 1 })
        device.look { $0.failure = VFIOError(EIO, "told to fail") }
        #expect(errorCode { () throws(VFIOError) in _ = try OpenFile(device, census: census) } == EIO)
        #expect(census.outstanding.isEmpty)
    }
}
