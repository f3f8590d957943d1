// The normal life of every command: what a well-behaved client asks and gets, one device with one of everything.

import Backing
import Clock
import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

/// A sample device, its server and a client, on one thread and a virtual clock.
struct Bench {
    let clock = VirtualClock()
    let served: ServedModel<SampleDevice>

    init(
        options: VFIOUserServerOptions = VFIOUserServerOptions(),
        isOn: Bool = true,
        _ change: (inout VersionCapabilities) -> Void = { _ in }
    ) throws {
        served = try ServedModel(SampleDevice(clock: .virtual(clock)), options: options, capabilities: change)
        if isOn { try switchOn() }
    }

    var client: RawClient { served.client }
    var device: SampleDevice { served.model }
    var server: VFIOUserServer<SampleDevice> { served.server }

    /// Memory space and bus master on, MSI-X on.
    func switchOn() throws {
        try client.write(region: Region.config, 0x04, [6, 0])
        try client.write(region: Region.config, 0x42, [0, 0x80])
    }

    /// Has the device move a word by DMA: whether it was allowed, and the word.
    func transfer(_ direction: UInt32, at iova: UInt64, _ value: UInt32 = 0) throws -> (Bool, UInt32) {
        try client.write(region: 0, SampleDevice.Offset.address, bytes { $0.append(iova) })
        try client.write32(region: 0, SampleDevice.Offset.value, value)
        try client.write32(region: 0, SampleDevice.Offset.transfer, direction)
        return (
            try client.read32(region: 0, SampleDevice.Offset.transfer) == 1,
            try client.read32(region: 0, SampleDevice.Offset.value)
        )
    }
}

@Suite struct VersionTests {
    @Test func replyIsASubsetAndShorterThanQEMUsRequest() throws {
        let bench = try Bench()
        #expect(bench.server.hasClient)
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(SampleDevice(clock: .virtual(VirtualClock())), connection: pair.first)
        let client = RawClient(pair.second) { _ = server.poll() }
        let reply = try client.negotiate()
        #expect(reply.major == 0 && reply.minor == 0)
        #expect(reply.capabilities?.mostDescriptors == 16)
        #expect(reply.capabilities?.writeMultiple == true)
        #expect(reply.capabilities?.sleepWord == nil, "not asked for")
        #expect(bytes { reply.write(to: &$0) }.count + MessageHeader.byteCount < 214)
    }

    @Test func ourOwnKeyIsAnsweredToWhoAsks() throws {
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(SampleDevice(clock: .virtual(VirtualClock())), connection: pair.first)
        let client = RawClient(pair.second) { _ = server.poll() }
        #expect(try client.negotiate { $0.sleepWord = true }.capabilities?.sleepWord == true)
    }

    @Test func aClientWithoutJSONGetsNone() throws {
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(SampleDevice(clock: .virtual(VirtualClock())), connection: pair.first)
        let client = RawClient(pair.second) { _ = server.poll() }
        #expect(try client.ask(.version) { $0.append(UInt32(0)) } == [0, 0, 0, 0])
        #expect(try client.read32(region: Region.config, 0) == 0x0001_1D0B)
    }
}

@Suite struct DescriptionTests {
    @Test func device() throws {
        let bench = try Bench()
        let reply = try bench.client.ask(.getDeviceInfo) {
            DeviceInfo(flags: 0, regionCount: 0, interruptCount: 0).write(to: &$0)
        }
        #expect(try DeviceInfo(reply.raw) == DeviceInfo(flags: 3, regionCount: 9, interruptCount: 5))
    }

    @Test func regions() throws {
        let bench = try Bench()
        func info(_ index: UInt32, room: UInt32 = 32) throws -> (RegionInfo, Int) {
            let reply = try bench.client.ask(.getRegionInfo) {
                RegionInfo(argumentSize: room, index: index).writeRequest(to: &$0)
            }
            return (try RegionInfo(reply.raw), reply.count)
        }
        let sizes: [UInt64] = [0x1000, 0, 0x4000, 0, 0, 0, 0, 4096, 0]
        for (index, size) in sizes.enumerated() {
            let (region, _) = try info(UInt32(index))
            #expect(region.size == size && region.index == UInt32(index))
            let mappable = index == 2 ? RegionInfo.mappable : 0
            #expect(region.flags == (size == 0 ? 0 : 3 | mappable))
        }
        let (short, shortCount) = try info(2)
        #expect(short.argumentSize == 64 && shortCount == 32, "it says how much room it needs")
        #expect(bench.client.takeDescriptor(0) == nil)
        let (full, fullCount) = try info(2, room: 64)
        #expect(fullCount == 64 && full.flags == 0xF)
        #expect(full.mappedRanges == [MappedRange(offset: 0x1000, size: 0x3000)])

        // What the client maps is the BAR itself.
        let file = try #require(bench.client.takeDescriptor(0))
        var word: UInt32 = 0xA1B2_C3D4
        // SAFETY: a local of 4 bytes.
        #expect(unsafe pwrite(file.raw, &word, 4, 0x1008) == 4)
        #expect(try bench.client.read32(region: 2, 0x1008) == word)
    }

    @Test func interrupts() throws {
        let bench = try Bench()
        let expected: [(flags: UInt32, count: UInt32)] = [(7, 1), (1, 0), (1, 20), (1, 1), (1, 1)]
        for (index, info) in expected.enumerated() {
            let reply = try bench.client.ask(.getInterruptInfo) {
                InterruptInfo(flags: 0, index: UInt32(index), count: 0).write(to: &$0)
            }
            #expect(
                try InterruptInfo(reply.raw)
                    == InterruptInfo(flags: info.flags, index: UInt32(index), count: info.count)
            )
        }
    }

    @Test func doorbells() throws {
        let bench = try Bench()
        let reply = try bench.client.ask(.getRegionIODescriptors) {
            IODescriptorsRequest(argumentSize: 64, index: 0).write(to: &$0)
        }
        #expect(try IODescriptorsRequest(reply.raw).count == 1)
        let subregion = try ShadowedSubregion(Array(reply.dropFirst(16)).raw)
        #expect(subregion.offset == SampleDevice.Offset.doorbell && subregion.size == 4 && subregion.type == 2)
        let event = try #require(bench.client.takeDescriptor(Int(subregion.eventIndex)))
        let memory = try #require(bench.client.takeDescriptor(Int(subregion.memoryIndex)))
        // Ring it without a message.
        var tail: UInt32 = 77
        // SAFETY: a local of 4 bytes.
        #expect(unsafe pwrite(memory.raw, &tail, 4, Int(subregion.memoryOffset)) == 4)
        #expect(bench.device.host.doorbells.load(0) == 77)
        var one: UInt64 = 1
        #expect(unsafe write(event.raw, &one, 8) == 8)
        var wait = pollfd(fd: bench.device.host.doorbells.wakeDescriptor, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&wait, 1, 0) == 1, "the device's owner wakes up")
        // Too little room: only how much it takes.
        let short = try bench.client.ask(.getRegionIODescriptors) {
            IODescriptorsRequest(argumentSize: 16, index: 0).write(to: &$0)
        }
        #expect(try IODescriptorsRequest(short.raw) == IODescriptorsRequest(argumentSize: 64, index: 0, count: 1))
        #expect(short.count == 16)
    }
}

@Suite struct AccessTests {
    @Test func sizesAreKept() throws {
        let bench = try Bench()
        try bench.client.write32(region: 0, 0x20, 0x1122_3344)
        #expect(try bench.client.read(region: 0, 0x20, count: 1) == [0x44])
        #expect(try bench.client.read(region: 0, 0x22, count: 2) == [0x22, 0x11])
        try bench.client.write(region: 0, 0x20, [1, 2])
        #expect(try bench.client.read32(region: 0, 0x20) == 0x1122_3344, "the device takes no narrow writes")
        try bench.client.write(region: 0, 0x28, [1, 0, 0, 0, 2, 0, 0, 0])
        #expect(try bench.client.read32(region: 0, 0x2C) == 2)
    }

    @Test func allOfConfigurationSpaceAtOnce() throws {
        let bench = try Bench()
        let whole = try bench.client.read(region: Region.config, 0, count: 4096)
        #expect(whole.prefix(4) == [0x0B, 0x1D, 1, 0])
        #expect(whole.count == 4096)
        for offset in stride(from: 0, to: 256, by: 3) {
            #expect(try bench.client.read(region: Region.config, UInt64(offset), count: 1)[0] == whole[offset])
        }
        // A write across fields, at an odd place.
        try bench.client.write(region: Region.config, 0x3C, [9])
        #expect(try bench.client.read(region: Region.config, 0x3B, count: 3) == [0, 9, 1])
    }

    @Test func aStretchOfABAR() throws {
        let bench = try Bench()
        let data = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try bench.client.write(region: 2, 0x101, data)
        #expect(try bench.client.read(region: 2, 0x101, count: 1000) == data)
        #expect(try bench.client.read(region: 2, 0, count: 0x4000).count == 0x4000)
        #expect(try bench.client.read(region: 0, 4, count: 0) == [])
    }

    /// Writes that nobody waits for are made in order, before the read that follows.
    @Test func postedWrites() throws {
        let bench = try Bench()
        for value in 1...100 {
            try bench.client.write32(region: 0, SampleDevice.Offset.scratch, UInt32(value), noReply: true)
        }
        #expect(try bench.client.read32(region: 0, SampleDevice.Offset.scratch) == 100)
        #expect(bench.server.counters.postedWrites == 100)
        // A refused one says nothing either.
        try bench.client.write32(region: 0, 0x1000, 1, noReply: true)
        #expect(bench.client.receive(looks: 5) == .silence)
        #expect(bench.server.counters.refusals(.writeRegion) == 1)
    }

    @Test func manyWritesInOneMessage() throws {
        let bench = try Bench()
        let reply = try bench.client.ask(.writeRegionMultiple) { buffer in
            buffer.append(UInt64(3))
            RegionWrites.write(RegionAccess(offset: 0x30, region: 0, count: 4), 5, to: &buffer)
            RegionWrites.write(RegionAccess(offset: 0x38, region: 0, count: 8), 6 | 7 << 32, to: &buffer)
            RegionWrites.write(RegionAccess(offset: 0x31, region: 2, count: 1), 0xFF08, to: &buffer)
        }
        #expect(reply == [3, 0, 0, 0, 0, 0, 0, 0])
        #expect(try bench.client.read32(region: 0, 0x30) == 5)
        #expect(try bench.client.read32(region: 0, 0x3C) == 7)
        #expect(try bench.client.read(region: 2, 0x30, count: 3) == [0, 8, 0])
        #expect(bench.server.counters.multipleWrites == 3)
    }

    @Test func reset() throws {
        let bench = try Bench()
        try bench.client.write32(region: 0, SampleDevice.Offset.scratch, 5)
        #expect(try bench.client.ask(.resetDevice) == [])
        #expect(bench.device.resets == 1)
        try bench.switchOn()
        #expect(try bench.client.read32(region: 0, SampleDevice.Offset.scratch) == 0)
    }

    @Test func whatNoDeviceHereCan() throws {
        let bench = try Bench()
        #expect(throws: RawRefusal(ENOTSUP)) {
            try bench.client.ask(.deviceFeature) {
                DeviceFeatureRequest(argumentSize: 16, flags: DeviceFeatureRequest.probe | 2).write(to: &$0)
            }
        }
        #expect(throws: RawRefusal(ENOTSUP)) { try bench.client.ask(.readMigrationData) { $0.append(UInt64(8)) } }
        #expect(throws: RawRefusal(ENOTSUP)) { try bench.client.ask(.writeMigrationData) { $0.append(UInt64(8)) } }
        #expect(throws: RawRefusal(ENOTSUP)) { try bench.client.ask(.dirtyPages) { $0.append(UInt64(8)) } }
        #expect(throws: RawRefusal(ENOTSUP)) {
            try bench.client.unmapDMA(iova: 0, size: 4096, flags: UnmapDMARequest.getDirtyBitmap)
        }
        #expect(bench.server.counters.unsupportedCommands == 5)
    }
}

@Suite struct MemoryTests {
    @Test func theDeviceReachesWhatIsMapped() throws {
        let bench = try Bench()
        let memory = try SharedMemory(byteCount: 0x4000, name: "client")
        try bench.client.mapDMA(memory.fileDescriptor, iova: 0x10_0000, size: 0x2000, offset: 0x1000)
        #expect(try bench.transfer(2, at: 0x10_0010, 0xCAFE).0)
        #expect(memory.bytes().word(0x1010) == 0xCAFE)
        #expect(try bench.transfer(1, at: 0x10_0010) == (true, 0xCAFE))
        #expect(try !bench.transfer(1, at: 0x10_1FFD).0, "the last byte is outside")
        #expect(try bench.transfer(1, at: 0x10_1FFC).0)
        try bench.client.unmapDMA(iova: 0x10_0000, size: 0x2000)
        #expect(try !bench.transfer(1, at: 0x10_0010).0)
    }

    @Test func permissionsAreKept() throws {
        let bench = try Bench()
        let memory = try SharedMemory(byteCount: 0x3000, name: "client")
        for (flags, iova) in [(UInt32(1), UInt64(0x1000)), (2, 0x2000), (0, 0x3000)] {
            try bench.client.mapDMA(
                memory.fileDescriptor,
                iova: iova,
                size: 0x1000,
                offset: iova - 0x1000,
                flags: flags
            )
        }
        #expect(try bench.transfer(1, at: 0x1000).0)
        #expect(try !bench.transfer(2, at: 0x1000).0)
        #expect(try !bench.transfer(1, at: 0x2000).0)
        #expect(try bench.transfer(2, at: 0x2000).0)
        #expect(try !bench.transfer(1, at: 0x3000).0)
    }

    /// What a guest behind a virtual IOMMU does: a mapping per page of one file.
    @Test func thousandsOfPagesOfOneFile() throws {
        let bench = try Bench()
        let pages = 2000
        let memory = try SharedMemory(byteCount: pages * 4096, name: "scattered")
        let before = mappedFiles(named: "scattered")
        for page in 0..<pages {
            // Scattered, so that neighbours in one space are none in the other.
            let offset = UInt64(page &* 1237 % pages) * 4096
            try bench.client.mapDMA(memory.fileDescriptor, iova: UInt64(page) * 4096, size: 4096, offset: offset)
        }
        #expect(bench.device.host.memory.mappingCount == pages)
        #expect(mappedFiles(named: "scattered") == before + 1, "one mapping of the file for all of them")
        #expect(try bench.transfer(2, at: 4096 * 3, 42).0)
        #expect(memory.bytes().word(3 * 1237 % pages * 4096) == 42)
        try bench.client.unmapDMA(iova: 0, size: 1 << 40)
        #expect(bench.device.host.memory.mappingCount == 0)
    }

    @Test func unmapsAsQEMUSendsThem() throws {
        let bench = try Bench()
        let memory = try SharedMemory(byteCount: 0x8000, name: "client")
        try bench.client.unmapDMA(iova: 0xFEE0_1000, size: UInt64.max - 0xFEE0_1000 + 1)
        for page in 0..<4 {
            try bench.client.mapDMA(memory.fileDescriptor, iova: 0x10000 + UInt64(page) * 0x2000, size: 0x2000)
        }
        #expect(throws: RawRefusal(EINVAL)) { try bench.client.unmapDMA(iova: 0x10000, size: 0x3000) }
        #expect(bench.device.host.memory.mappingCount == 4, "nothing was cut")
        try bench.client.unmapDMA(iova: 0xF000, size: 0x5000)
        #expect(bench.device.host.memory.mappingCount == 2)
        try bench.client.unmapDMA(iova: 0, size: 0, flags: UnmapDMARequest.all)
        #expect(bench.device.host.memory.mappingCount == 0)
    }

    @Test func memoryWithoutADescriptor() throws {
        let bench = try Bench()
        try bench.client.mapDMA(nil, iova: 0xFFFC_0000, size: 0x4_0000, flags: 1)
        #expect(try !bench.transfer(1, at: 0xFFFC_0000).0)
        #expect(bench.server.counters.remoteMappings == 1)
        #expect(bench.server.counters.remoteAccesses == 1)
        #expect(try !bench.transfer(1, at: 0x1000).0)
        #expect(bench.server.counters.remoteAccesses == 1, "that was nowhere")
        let memory = try SharedMemory(byteCount: 0x1000, name: "client")
        #expect(throws: RawRefusal(EEXIST)) {
            try bench.client.mapDMA(memory.fileDescriptor, iova: 0xFFFC_0000, size: 0x1000)
        }
        try bench.client.unmapDMA(iova: 0xFFFC_0000, size: 0x4_0000)
        try bench.client.mapDMA(memory.fileDescriptor, iova: 0xFFFC_0000, size: 0x1000)
    }

    /// The client takes its memory away under a mapping: the access finds zeros, and the device reaches it no more.
    @Test func aTruncatedFile() throws {
        let bench = try Bench()
        let file = try UnsealedFile(byteCount: 0x4000)
        try bench.client.mapDMA(file.descriptor.raw, iova: 0x10000, size: 0x4000)
        let other = try SharedMemory(byteCount: 0x1000, name: "client")
        try bench.client.mapDMA(other.fileDescriptor, iova: 0x20000, size: 0x1000)
        #expect(try bench.transfer(2, at: 0x13000, 7).0)
        #expect(ftruncate(file.descriptor.raw, 0x1000) == 0)
        _ = try bench.transfer(1, at: 0x13000)
        _ = bench.server.poll()
        #expect(bench.server.counters.brokenFiles == 1)
        #expect(bench.device.host.memory.mappingCount == 1)
        #expect(try !bench.transfer(1, at: 0x10000).0)
        #expect(try bench.transfer(2, at: 0x20000, 8).0, "other memory is as it was")
    }

    @Test func filesThatGrow() throws {
        let bench = try Bench()
        let file = try UnsealedFile(byteCount: 0x1000)
        try bench.client.mapDMA(file.descriptor.raw, iova: 0x10000, size: 0x1000)
        #expect(throws: RawRefusal(EINVAL)) {
            try bench.client.mapDMA(file.descriptor.raw, iova: 0x20000, size: 0x1000, offset: 0x1000)
        }
        #expect(ftruncate(file.descriptor.raw, 0x2000) == 0)
        try bench.client.mapDMA(file.descriptor.raw, iova: 0x20000, size: 0x1000, offset: 0x1000)
        #expect(try bench.transfer(2, at: 0x10000, 1).0)
        #expect(try bench.transfer(2, at: 0x20000, 2).0)
        #expect(file.word(0) == 1 && file.word(0x1000) == 2)
    }

    /// How many mappings this process has of memfds of this name.
    private func mappedFiles(named name: String) -> Int {
        var text: [UInt8] = []
        let file = unsafe open("/proc/self/maps", O_RDONLY)
        defer { close(file) }
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe read(file, &chunk, chunk.count)
            guard count > 0 else { break }
            text += chunk.prefix(count)
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").count { $0.contains("memfd:\(name) ") }
    }
}

extension RawSpan {
    /// SAFETY: the span checks the offset.
    func word(_ offset: Int) -> UInt32 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt32.self) }
}
