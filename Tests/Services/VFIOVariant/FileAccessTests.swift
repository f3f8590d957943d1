// read(2), write(2) and mmap(2) on a device's file: places, sizes and addresses of any kind.

import Glibc
import Leases
import Memory
import Simulation
import Testing
import VFIOVariant

private func end(_ mapping: consuming RegionMapping) {}

@Suite struct FileAccessTests {
    private let census = Census()

    private func open() throws -> (MemoryFunction, OpenFile) {
        let device = try MemoryFunction(census: census)
        return (device, try OpenFile(device, census: census))
    }

    /// Any run of the region, of one piece or of several, against plain bytes.
    @Test func anyRunOfMemoryIsReadAndWritten() throws {
        let (device, file) = try open()
        let size = Int(MemoryFunction.barBytes)
        var reference = [UInt8](repeating: 0, count: Int(MemoryFunction.memoryBytes))
        reference += [UInt8](repeating: 0xFF, count: size - reference.count)
        var random = SeededRandom(seed: 11)
        for round in 0..<60 {
            let offset = Int.random(in: 0..<size, using: &random)
            let count = Int.random(in: 0...(round % 3 == 0 ? 0x2_8000 : 100), using: &random)
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ round) }
            let inside = min(count, size - offset)
            #expect(try file.pwrite(bytes, OpenFile.position(2, UInt64(offset))) == inside)
            for index in 0..<inside where offset + index < Int(MemoryFunction.memoryBytes) {
                reference[offset + index] = bytes[index]
            }
            let start = Int.random(in: 0..<size, using: &random)
            let read = try file.pread(count, OpenFile.position(2, UInt64(start)))
            #expect(read == Array(reference[start..<min(start + count, size)]), "round \(round)")
        }
        // SAFETY: the device's own memory.
        let stored = unsafe Array(device.memory.bytes)
        #expect(stored == Array(reference.prefix(stored.count)))
        #expect(file.file.refusedCalls == 0)
    }

    /// A read of several pieces ends exactly at the region's end, also where that is the end of a piece.
    @Test(arguments: [0x2_0000, 0x1_0000, 0x1_0001, 0x1_FFFF, 1] as [UInt64])
    func aLongReadEndsWithItsRegion(left: UInt64) throws {
        let (_, file) = try open()
        let start = OpenFile.position(2, MemoryFunction.barBytes - left)
        #expect(try file.pread(0x8_0000, start).count == Int(left))
        #expect(errorCode { () throws(VFIOError) in _ = try file.pread(0x8_0000, start + Int64(left)) } == EINVAL)
    }

    /// Places and sizes that no region has.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let position: Int64
        let count: Int
        let code: Int32
        var testDescription: String { "\(count) bytes at \(position)" }
    }

    static let refusals = [
        Refusal(position: -1, count: 1, code: EINVAL),
        Refusal(position: .min, count: 0, code: EINVAL),
        Refusal(position: .max, count: 1, code: EINVAL),
        Refusal(position: .max - 7, count: 9, code: EINVAL),
        Refusal(position: 2 << 40, count: -1, code: EINVAL),
        Refusal(position: 2 << 40, count: .min, code: EINVAL),
        Refusal(position: 1, count: .max, code: EINVAL),
        Refusal(position: 1 << 40, count: 1, code: EINVAL),
        Refusal(position: 3 << 40, count: 1, code: EINVAL),
        Refusal(position: 6 << 40, count: 1, code: EINVAL),
        Refusal(position: 8 << 40, count: 1, code: EINVAL),
        Refusal(position: 9 << 40, count: 1, code: EINVAL),
        Refusal(position: 0x7F_FFFF << 40, count: 8, code: EINVAL),
        Refusal(position: 2 << 40 | 0x4_0000, count: 1, code: EINVAL),
        Refusal(position: 2 << 40 | 0xFF_FFFF_FFFF, count: 1, code: EINVAL),
    ]

    @Test(arguments: refusals)
    func placesThatAreNone(_ refusal: Refusal) throws {
        let (_, file) = try open()
        let pages = CallerPages()
        // SAFETY: the file must not touch the caller's memory for these.
        let read = errorCode { () throws(VFIOError) in
            _ = unsafe try file.file.pread(pages.base, count: refusal.count, at: refusal.position)
        }
        #expect(read == refusal.code)
        let write = errorCode { () throws(VFIOError) in
            _ = unsafe try file.file.pwrite(pages.base, count: refusal.count, at: refusal.position)
        }
        #expect(write == refusal.code)
        #expect(file.file.refusedCalls == 2)
    }

    /// More than the kernel carries in one call is cut short before it is looked at, and at the region's end anyway.
    @Test func aReadOfAllThereIs() throws {
        let (device, file) = try open()
        let pages = CallerPages(pages: Int(MemoryFunction.barBytes) / 4096)
        // SAFETY: the pages hold the whole region.
        let done = unsafe try file.file.pread(pages.base, count: Int.max >> 8, at: 2 << 40)
        #expect(done == Int(MemoryFunction.barBytes))
        #expect(pages[Int(MemoryFunction.memoryBytes) - 1] == 0 && pages[Int(MemoryFunction.memoryBytes)] == 0xFF)
        _ = device
    }

    /// Bytes that cannot be written or read, in the first piece and in a later one; the position stays.
    @Test(arguments: [(4, 8), (0x1_0000, 0x1_0008), (0x1_0800, 0x2_0000), (0, 1)])
    func buffersThatAreNotAllMemory(good: Int, count: Int) throws {
        let (device, file) = try open()
        let pages = CallerPages(pages: 32)
        file.file.position = OpenFile.position(2, 0x100)
        // SAFETY: addresses that the file must doubt.
        func read() -> Int32? {
            errorCode { () throws(VFIOError) in _ = unsafe try file.file.read(pages.end(good), count: count) }
        }
        func write() -> Int32? {
            errorCode { () throws(VFIOError) in _ = unsafe try file.file.write(pages.end(good), count: count) }
        }
        #expect(read() == EFAULT)
        #expect(write() == EFAULT)
        #expect(file.file.position == OpenFile.position(2, 0x100))
        pages.protect(PROT_READ)
        let readOnly = errorCode { () throws(VFIOError) in _ = unsafe try file.file.read(pages.base, count: 16) }
        #expect(readOnly == EFAULT)
        let copied = unsafe try file.file.write(pages.base, count: 16)
        #expect(copied == 16 && file.file.position == OpenFile.position(2, 0x110))
        pages.protect(PROT_NONE)
        let unreadable = errorCode { () throws(VFIOError) in _ = unsafe try file.file.write(pages.base, count: 16) }
        #expect(unreadable == EFAULT)
        for address in [0, 8, 1 << 47, UInt.max - 15] {
            guard let address = unsafe UnsafeMutableRawPointer(bitPattern: address) else { continue }
            let wild = errorCode { () throws(VFIOError) in _ = unsafe try file.file.read(address, count: 16) }
            #expect(wild == EFAULT)
        }
        #expect(file.file.position == OpenFile.position(2, 0x110))
        _ = device
    }

    @Test func thePositionGoesOnWithWhatWasCarried() throws {
        let (_, file) = try open()
        let pages = CallerPages()
        pages.fill(0x5A)
        file.file.position = OpenFile.position(2, MemoryFunction.barBytes - 6)
        // SAFETY: the caller's own pages.
        let first = unsafe try file.file.write(pages.base, count: 4)
        let second = unsafe try file.file.write(pages.base, count: 4)
        #expect(first == 4 && second == 2, "cut short at the region's end")
        #expect(file.file.position == OpenFile.position(2, MemoryFunction.barBytes))
        let third = errorCode { () throws(VFIOError) in _ = unsafe try file.file.write(pages.base, count: 4) }
        #expect(third == EINVAL)
    }

    // MARK: mmap(2)

    struct Mapping: Sendable, CustomTestStringConvertible {
        let byteCount: Int
        let offset: Int64
        var flags = MAP_SHARED
        let code: Int32?
        var testDescription: String { "\(byteCount) bytes at \(offset), flags \(flags)" }
    }

    private static let bar: Int64 = 2 << 40
    private static let memory = Int64(MemoryFunction.memoryBytes)

    static let mappings = [
        Mapping(byteCount: Int(memory), offset: bar, code: nil),
        Mapping(byteCount: 4096, offset: bar + memory - 4096, code: nil),
        Mapping(byteCount: 1, offset: bar + memory - 4096, code: nil),
        Mapping(byteCount: 4097, offset: bar + memory - 4096, code: EINVAL),
        Mapping(byteCount: Int(memory) + 1, offset: bar, code: EINVAL),
        Mapping(byteCount: 4096, offset: bar + memory, code: EINVAL),
        Mapping(byteCount: 0x4_0000, offset: bar, code: EINVAL),
        Mapping(byteCount: 0, offset: bar, code: EINVAL),
        Mapping(byteCount: -1, offset: bar, code: EINVAL),
        Mapping(byteCount: .min, offset: bar, code: EINVAL),
        Mapping(byteCount: .max, offset: bar, code: ENOMEM),
        Mapping(byteCount: .max - 4095, offset: -4096, code: EOVERFLOW),
        Mapping(byteCount: 4096, offset: -4096, code: EOVERFLOW),
        Mapping(byteCount: 4096, offset: bar + 1, code: EINVAL),
        Mapping(byteCount: 4096, offset: bar, flags: MAP_PRIVATE, code: EINVAL),
        Mapping(byteCount: 4096, offset: bar, flags: MAP_SHARED | MAP_FIXED, code: EINVAL),
        Mapping(byteCount: 4096, offset: bar, flags: 0, code: EINVAL),
        // Of two regions at once.
        Mapping(byteCount: 8192, offset: 3 << 40 - 4096, code: EINVAL),
        Mapping(byteCount: 1 << 41, offset: bar, code: EINVAL),
        Mapping(byteCount: 4096, offset: 0, code: EINVAL),
        Mapping(byteCount: 4096, offset: 1 << 40, code: EINVAL),
        Mapping(byteCount: 4096, offset: 7 << 40, code: EINVAL),
        Mapping(byteCount: 4096, offset: 9 << 40, code: EINVAL),
        Mapping(byteCount: 4096, offset: .min, code: EINVAL),
    ]

    @Test(arguments: mappings)
    func mappingsOfWhatExistsAlone(_ mapping: Mapping) throws {
        let (_, file) = try open()
        let code = errorCode { () throws(VFIOError) in
            end(try file.file.map(byteCount: mapping.byteCount, at: mapping.offset, flags: mapping.flags))
        }
        #expect(code == mapping.code)
        #expect(census.outstanding == ["VFIO device file": 1])
    }

    @Test func aMappingAndTheCallsSeeTheSameMemory() throws {
        let (device, file) = try open()
        let mapping = try file.file.map(byteCount: 8192, at: Self.bar + 0x1000)
        #expect(mapping.byteCount == 8192)
        // SAFETY: inside the mapping.
        unsafe mapping.base.storeBytes(of: 0x1122_3344, toByteOffset: 4092, as: UInt32.self)
        #expect(try file.pread(4, OpenFile.position(2, 0x1FFC)) == [0x44, 0x33, 0x22, 0x11])
        try file.pwrite([9], OpenFile.position(2, 0x1000))
        let first = unsafe mapping.base.load(as: UInt8.self)
        #expect(first == 9)
        let inDevice = unsafe device.memory.bytes[0x1FFF]
        #expect(inDevice == 0x11)
    }

    @Test func protectionIsWhatWasAskedFor() throws {
        let (_, file) = try open()
        let pages = try file.file.map(byteCount: 4096, at: Self.bar, protection: PROT_READ)
        // SAFETY: the kernel is asked, by the file, whether the page takes a write.
        let base = unsafe pages.base
        let code = errorCode { () throws(VFIOError) in _ = unsafe try file.file.pread(base, count: 4, at: Self.bar) }
        #expect(code == EFAULT)
        let copied = unsafe try file.file.pwrite(base, count: 4, at: Self.bar)
        #expect(copied == 4)
    }

    @Test func aMappingOutlivesTheFile() throws {
        let device = try MemoryFunction(census: census)
        let mapping: RegionMapping
        do {
            let file = try VFIOFile(device, census: census)
            mapping = try file.map(byteCount: 4096, at: Self.bar)
        }
        #expect(census.outstanding == ["mapping": 1])
        // SAFETY: inside the mapping.
        unsafe mapping.base.storeBytes(of: 7, as: UInt8.self)
        let stored = unsafe device.memory.bytes[0]
        #expect(stored == 7)
    }
}
