// A VFIO device behind the real vfio-user server: what a client learns, reads, writes and maps.

import Backing
import Clock
import Glibc
import Leases
import Memory
import PCIe
import Testing
import VFIOUser
import VFIOUserTestClient
import VFIOVariant

@Suite struct ExportTests {
    private let census = Census()

    /// A memory device exported to a client that has negotiated.
    private func exported() throws -> (MemoryFunction, ServedModel<ExportedFunction<MemoryFunction>>) {
        let device = try MemoryFunction(census: census)
        let host = DeviceHost(clock: .monotonic, vectorCount: 0, doorbellCount: 0)
        let function = try ExportedFunction(device, host: host, polling: Idle())
        return (device, try ServedModel(function))
    }

    private final class Idle: Pollable {
        func poll() -> Bool { false }
    }

    private func info(
        _ client: RawClient,
        _ index: UInt32,
        room: UInt32
    ) throws -> (info: RegionInfo, bytes: Int, descriptors: Int) {
        client.send(
            client.message(.getRegionInfo) { RegionInfo(argumentSize: room, index: index).writeRequest(to: &$0) }
        )
        guard case .message(let reply) = client.receive() else { throw RawRefusal(ETIMEDOUT) }
        return (try RegionInfo(reply.payload.raw), reply.payload.count, reply.descriptorCount)
    }

    /// The short answer has the flag for capabilities clear, other than the kernel's; the full one brings the file.
    @Test func aRegionIsDescribedInVFIOUsersWay() throws {
        let (_, served) = try exported()
        let short = try info(served.client, 2, room: 32)
        #expect(short.bytes == 32 && short.descriptors == 0)
        #expect(short.info.argumentSize == 64 && short.info.flags == 7, "read, write, mmap")
        #expect(short.info.size == MemoryFunction.barBytes && short.info.mappedRanges.isEmpty)
        let full = try info(served.client, 2, room: 64)
        #expect(full.bytes == 64 && full.descriptors == 1)
        #expect(full.info.argumentSize == 64 && full.info.flags == 0xF && full.info.fileOffset == 0)
        #expect(full.info.mappedRanges == [MappedRange(offset: 0, size: MemoryFunction.memoryBytes)])
        for index: UInt32 in [1, 3, 4, 5, 6] { #expect(try info(served.client, index, room: 64).info.size == 0) }
        #expect(try info(served.client, 7, room: 64).info.size == 4096)
    }

    @Test func mappedMemoryAndMessagesAgree() throws {
        let (device, served) = try exported()
        _ = try info(served.client, 2, room: 64)
        let file = try #require(served.client.takeDescriptor(0))
        let size = Int(MemoryFunction.memoryBytes)
        let address = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.raw, 0)
        let base = try unsafe #require(address)
        defer { unsafe munmap(base, size) }
        // SAFETY: inside the mapping of the whole file.
        unsafe base.storeBytes(of: 0x5566_7788, toByteOffset: size - 4, as: UInt32.self)
        let straddling = try served.client.read(region: 2, MemoryFunction.memoryBytes - 4, count: 8)
        #expect(straddling == [0x88, 0x77, 0x66, 0x55, 0xFF, 0xFF, 0xFF, 0xFF])
        try served.client.write(region: 2, MemoryFunction.memoryBytes - 2, [1, 2, 3, 4])
        let last = unsafe base.load(fromByteOffset: size - 4, as: UInt32.self)
        #expect(last == 0x0201_7788)
        let stored = unsafe device.memory.bytes[size - 1]
        #expect(stored == 2)
        #expect(served.model.counters == ExportCounters())
    }

    /// Runs that the server sends from where they are, that it copies, and that cross the end of the memory.
    @Test(arguments: [(0, 0x1_0000), (0x1000, 0x2_0000), (0x2_0000, 0x1_2000), (0x2_0000, 0x2_0000), (8, 0xFFFF)])
    func longRunsAreReadWhole(offset: Int, count: Int) throws {
        let (device, served) = try exported()
        for place in 0..<Int(MemoryFunction.memoryBytes) {
            // SAFETY: the device's own memory.
            unsafe device.memory.bytes[place] = UInt8(truncatingIfNeeded: place &* 31 &+ place >> 8)
        }
        let memory = unsafe Array(device.memory.bytes) + [UInt8](repeating: 0xFF, count: 0x1_0000)
        #expect(
            try served.client.read(region: 2, UInt64(offset), count: count) == Array(memory[offset..<offset + count])
        )
    }

    /// A long write's data goes straight to the memory, in however many pieces it comes; the messages around it are whole.
    @Test(arguments: [
        [0x3_0020], [16, 16, 1, 0x1_0000, 0x1_FFFF], [31, 1, 0x3_0000], [0x1_0000, 0x1_0000, 0x1_0020],
    ])
    func aLongWriteLandsInPieces(pieces: [Int]) throws {
        let (device, served) = try exported()
        let client = served.client
        let pattern = (0..<0x3_0000).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 9) }
        let message = client.message(.writeRegion) {
            RegionAccess(offset: 0x1000, region: 2, count: UInt32(pattern.count)).write(to: &$0)
            for byte in pattern { $0.append(byte) }
        }
        let next = client.message(.readRegion) { RegionAccess(offset: 0x1000, region: 2, count: 4).write(to: &$0) }
        var rest = message[...]
        for piece in pieces {
            client.send(Array(rest.prefix(piece)) + (piece >= rest.count ? next : []))
            rest = rest.dropFirst(piece)
            for _ in 0..<4 { _ = served.poll() }
        }
        #expect(rest.isEmpty)
        guard case .message(let written) = client.receive(), case .message(let read) = client.receive() else {
            Issue.record("no replies")
            return
        }
        #expect(written.payload.count == 16 && written.errorNumber == 0)
        #expect(Array(read.payload.suffix(4)) == Array(pattern.prefix(4)))
        // SAFETY: inside the device's memory.
        let stored = (0..<pattern.count).map { unsafe device.memory.bytes[0x1000 + $0] }
        #expect(stored == pattern)
        let around = unsafe [device.memory.bytes[0xFFF], device.memory.bytes[0x3_1000]]
        #expect(around == [0, 0])
        #expect(try client.read(region: 2, 0x3_1000, count: 4) == [0, 0, 0, 0], "the connection goes on")
    }

    /// Long writes that are refused, cross the memory's end, or come from a client that goes in the middle.
    @Test func longWritesThatDoNotLand() throws {
        let (device, served) = try exported()
        let client = served.client
        let data = [UInt8](repeating: 0x77, count: 0x1_8000)
        #expect(throws: RawRefusal(EINVAL)) { try client.write(region: 2, 0x3_0000, data) }
        #expect(throws: RawRefusal(EINVAL)) { try client.write(region: 3, 0, data) }
        try client.write(region: 2, 0x2_8000, data)
        let edge = try client.read(region: 2, MemoryFunction.memoryBytes - 2, count: 4)
        #expect(edge == [0x77, 0x77, 0xFF, 0xFF])
        // What the message says is longer than what it says is written.
        let long = client.message(.writeRegion) {
            RegionAccess(offset: 0, region: 2, count: 0x1_0000).write(to: &$0)
            for byte in data { $0.append(byte) }
        }
        client.send(long)
        guard case .message(let refused) = client.receive() else {
            Issue.record("no reply")
            return
        }
        #expect(refused.errorNumber == EINVAL)
        #expect(try client.read(region: 2, 0, count: 2) == [0, 0])
        device.look { $0.failure = VFIOError(EIO, "not ready") }
        try client.write(region: 2, 0, data)
        #expect(served.model.counters.failedWrites == 1)
        device.look { $0.failure = nil }
        #expect(try client.read(region: 2, 0, count: 2) == [0, 0], "a device that does not answer is not passed by")
        let half = client.message(.writeRegion) {
            RegionAccess(offset: 0x1000, region: 2, count: 0x1_0000).write(to: &$0)
            for _ in 0..<0x1_0000 { $0.append(UInt8(0x55)) }
        }
        client.send(Array(half.prefix(0x8020)))
        for _ in 0..<4 { _ = served.poll() }
        client.hangUp()
        for _ in 0..<4 { _ = served.poll() }
        #expect(!served.server.hasClient)
        // SAFETY: inside the device's memory.
        let last = unsafe [device.memory.bytes[0x1000 + 0x7FFF], device.memory.bytes[0x1000 + 0x8000]]
        #expect(last == [0x55, 0])
    }

    @Test func memoryIsLentWhereAllOfARunIsMemory() throws {
        let (device, served) = try exported()
        // SAFETY: looked at only.
        func lends(_ range: Range<UInt64>, bar: Int = 2) -> Bool {
            guard let bytes = unsafe served.model.memory(bar: bar, range) else { return false }
            return bytes.count == range.count
        }
        #expect(lends(0..<MemoryFunction.memoryBytes))
        #expect(lends(MemoryFunction.memoryBytes - 1..<MemoryFunction.memoryBytes))
        #expect(!lends(MemoryFunction.memoryBytes - 1..<MemoryFunction.memoryBytes + 1))
        #expect(!lends(0..<16, bar: 0) && !lends(0..<16, bar: 7))
        #expect(census.outstanding == ["mapping": 1], "once, for all runs")
        device.look { $0.failure = VFIOError(EIO, "not ready") }
        #expect(!lends(0..<4096), "a device that does not answer is not passed by")
    }

    @Test func whatTheDeviceRefusesIsAllOnesAndCounted() throws {
        let (device, served) = try exported()
        let client = served.client
        try client.write(region: 0, 4, [1, 2, 3, 4])
        #expect(served.model.counters.failedWrites == 1)
        #expect(served.model.counters.lastError?.code == EINVAL)
        // Its configuration space has 256 bytes.
        #expect(try client.read(region: 7, 0xFE, count: 4) == [0, 0, 0xFF, 0xFF])
        #expect(try client.read(region: 7, 0x400, count: 4) == [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(served.model.counters.failedReads == 2)
        device.look { $0.failure = VFIOError(EIO, "told to fail") }
        #expect(try client.read(region: 2, 0, count: 8) == [UInt8](repeating: 0xFF, count: 8))
        #expect(try client.read(region: 2, 0, count: 0x1_0000) == [UInt8](repeating: 0xFF, count: 0x1_0000))
        _ = try client.ask(.resetDevice)
        #expect(served.model.counters.failedResets == 1)
        device.look { $0.failure = nil }
        #expect(try client.read(region: 2, 0, count: 8) == [UInt8](repeating: 0, count: 8))
        #expect(throws: RawRefusal(EINVAL)) {
            _ = try client.read(region: 2, MemoryFunction.barBytes - 4, count: 8)
        }
    }

    @Test func resetReachesTheDevice() throws {
        let (device, served) = try exported()
        _ = try served.client.ask(.resetDevice)
        #expect(device.look { $0.resets } == 1)
    }

    @Test func theDeviceIsOpenAsLongAsItIsExported() throws {
        let device = try MemoryFunction(census: census)
        let host = DeviceHost(clock: .monotonic, vectorCount: 0, doorbellCount: 0)
        do {
            let function = try ExportedFunction(device, host: host, polling: Idle())
            #expect(device.look { $0.isOpen })
            #expect(errorCode { () throws(VFIOError) in _ = try OpenFile(device, census: census) } == EBUSY)
            #expect(function.vectorCount == 0)
        }
        #expect(device.look { !$0.isOpen })
        device.look { $0.failure = VFIOError(ENODEV, "told to fail") }
        let code = errorCode { () throws(VFIOError) in
            _ = try ExportedFunction(device, host: host, polling: Idle())
        }
        #expect(code == ENODEV)
        #expect(device.look { !$0.isOpen })
    }

    // MARK: Over a function with registers and vectors

    private func passedThrough() throws -> (
        SampleDevice, ServedModel<ExportedFunction<PassThrough<InProcess<SampleDevice>>>>
    ) {
        let model = SampleDevice(clock: .monotonic)
        let device = try PassThrough(InProcess(model, name: "sample", census: census))
        return (model, try ServedModel(ExportedFunction(device, over: model)))
    }

    /// Registers, a vector by eventfd and DMA go through all of it to the model, and back.
    @Test func aFunctionWorksThroughItsExport() throws {
        let (model, served) = try passedThrough()
        let client = served.client
        #expect(try client.read(region: 7, 0, count: 4) == [0x0B, 0x1D, 1, 0])
        let command = try client.read(region: 7, 4, count: 2)
        try client.write(region: 7, 4, [command[0] | 6, command[1]])
        try client.write(region: 0, SampleDevice.Offset.scratch, [1, 2, 3, 4])
        #expect(model.read(bar: 0, SampleDevice.Offset.scratch, .doubleWord) == 0x0403_0201)

        let event = EventDescriptor()
        try client.setInterrupts(.eventDescriptors, .trigger, .msix, start: 3, count: 1, descriptors: [event.raw])
        try client.write(region: 7, 0x42, [0x13, 0x80])
        try client.write(region: 0, SampleDevice.Offset.fire, [3, 0, 0, 0])
        #expect(event.take() == 1)
    }

    @Test func aResetOfAPassedThroughFunctionClearsItsRegisters() throws {
        let (model, served) = try passedThrough()
        try served.client.write(region: 0, SampleDevice.Offset.scratch, [1, 2, 3, 4])
        let before = model.resets
        _ = try served.client.ask(.resetDevice)
        #expect(model.resets == before + 1)
        #expect(model.read(bar: 0, SampleDevice.Offset.scratch, .doubleWord) == 0)
    }
}
