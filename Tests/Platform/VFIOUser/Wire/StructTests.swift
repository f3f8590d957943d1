// Every structure of the protocol against its bytes, one line per field, as the specification lists them.

import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct WireStructTests {
    @Test func header() throws {
        let bytes0 = golden(
            """
            34 12        // message id
            09 00        // command: REGION_READ
            20 00 00 00  // message size
            10 00 00 00  // flags: command, no reply
            00 00 00 00  // error
            """
        )
        let header = MessageHeader(identifier: 0x1234, command: 9, messageSize: 32, flags: 0x10)
        #expect(bytes { header.write(to: &$0) } == bytes0)
        #expect(try MessageHeader(bytes0.raw) == header)
        #expect(header.isCommand && !header.wantsReply)
    }

    @Test func refusalIsAHeaderAlone() {
        let command = MessageHeader.command(.setInterrupts, identifier: 7)
        #expect(
            bytes { command.refusal(22).write(to: &$0) }
                == golden(
                    """
                    07 00        // message id of the command
                    08 00        // command
                    10 00 00 00  // message size
                    21 00 00 00  // flags: reply, error
                    16 00 00 00  // EINVAL
                    """
                )
        )
    }

    /// The request that QEMU 11.1 sends.
    @Test func version() throws {
        let json =
            #"{"capabilities": {"pgsizes": 4096, "max_msg_fds": 16, "max_dma_maps": 65535, "#
            + #""max_data_xfer_size": 1048576, "migration": {"max_bitmap_size": 268435456, "pgsize": 4096}, "#
            + #""write_multiple": true}}"#
        let request = [0, 0, 0, 0] + Array(json.utf8) + [0]
        #expect(request.count + MessageHeader.byteCount == 214)
        let message = try VersionMessage(request.raw)
        #expect(message.major == 0 && message.minor == 0)
        let capabilities = try #require(message.capabilities)
        #expect(capabilities.pageSizes == 4096)
        #expect(capabilities.mostDescriptors == 16)
        #expect(capabilities.mostMappings == 65535)
        #expect(capabilities.mostData == 1 << 20)
        #expect(capabilities.writeMultiple == true)
        #expect(capabilities.twinSocket == nil && capabilities.sleepWord == nil)
    }

    @Test func versionWritten() throws {
        var capabilities = VersionCapabilities()
        capabilities.mostDescriptors = 16
        capabilities.writeMultiple = true
        capabilities.twinSocket = .init(isSupported: true, descriptorIndex: 0)
        let text = bytes { VersionMessage(capabilities: capabilities).write(to: &$0) }
        let json =
            #"{"capabilities":{"max_msg_fds":16,"write_multiple":true,"twin_socket":{"supported":true,"fd_index":0}}}"#
        #expect(text == [0, 0, 0, 0] + Array(json.utf8) + [0])
        #expect(try VersionMessage(text.raw).capabilities == capabilities)
        #expect(bytes { VersionMessage(capabilities: nil).write(to: &$0) } == [0, 0, 0, 0])
    }

    @Test func mapDMA() throws {
        let bytes0 = golden(
            """
            20 00 00 00              // argsz
            03 00 00 00              // flags: readable, writable
            00 10 00 00 00 00 00 00  // offset in the file
            00 00 00 80 01 00 00 00  // address
            00 00 20 00 00 00 00 00  // size
            """
        )
        let request = MapDMARequest(flags: 3, fileOffset: 0x1000, iova: 0x1_8000_0000, size: 0x20_0000)
        #expect(bytes { request.write(to: &$0) } == bytes0)
        #expect(try MapDMARequest(bytes0.raw) == request)
    }

    @Test func unmapDMA() throws {
        let bytes0 = golden(
            """
            18 00 00 00              // argsz
            02 00 00 00              // flags: all
            00 00 00 00 00 00 00 00  // address
            00 00 00 00 00 00 00 00  // size
            """
        )
        let request = UnmapDMARequest(flags: UnmapDMARequest.all, iova: 0, size: 0)
        #expect(bytes { request.write(to: &$0) } == bytes0)
        #expect(try UnmapDMARequest(bytes0.raw) == request)
    }

    @Test func accessDMA() throws {
        let bytes0 = golden(
            """
            00 00 00 80 01 00 00 00  // address
            40 00 00 00 00 00 00 00  // count
            """
        )
        let access = DMAAccess(iova: 0x1_8000_0000, count: 64)
        #expect(bytes { access.write(to: &$0) } == bytes0)
        #expect(try DMAAccess(bytes0.raw) == access)
    }

    @Test func deviceInfo() throws {
        let bytes0 = golden(
            """
            10 00 00 00  // argsz
            03 00 00 00  // flags: reset, PCI
            09 00 00 00  // regions
            05 00 00 00  // kinds of interrupts
            """
        )
        let info = DeviceInfo(flags: 3, regionCount: 9, interruptCount: 5)
        #expect(bytes { info.write(to: &$0) } == bytes0)
        #expect(try DeviceInfo(bytes0.raw) == info)
    }

    private static let sparse = RegionInfo(
        flags: RegionInfo.readable | RegionInfo.writable | RegionInfo.mappable,
        index: 2,
        size: 0x10000,
        fileOffset: 0,
        mappedRanges: [MappedRange(offset: 0x1000, size: 0x2000)]
    )

    @Test func regionInfoWithCapabilities() throws {
        let bytes0 = golden(
            """
            40 00 00 00              // argsz
            0f 00 00 00              // flags: read, write, mmap, capabilities
            02 00 00 00              // index
            20 00 00 00              // offset of the first capability
            00 00 01 00 00 00 00 00  // size
            00 00 00 00 00 00 00 00  // offset in the file
            01 00 01 00              // capability: sparse mmap, version 1
            00 00 00 00              // the last one
            01 00 00 00              // areas
            00 00 00 00              // reserved
            00 10 00 00 00 00 00 00  // offset of the area
            00 20 00 00 00 00 00 00  // its size
            """
        )
        var toldAll = false
        #expect(bytes { toldAll = Self.sparse.writeReply(to: &$0, room: 64) } == bytes0)
        #expect(toldAll)
        let read = try RegionInfo(bytes0.raw)
        #expect(read.mappedRanges == Self.sparse.mappedRanges)
        #expect(read.size == 0x10000 && read.index == 2)
    }

    /// QEMU fails on a short reply whose capability flag is set without a place.
    @Test func regionInfoTooSmallForItsCapabilities() {
        let bytes0 = golden(
            """
            40 00 00 00              // argsz: what all of it needs
            07 00 00 00              // flags: read, write, mmap
            02 00 00 00              // index
            00 00 00 00              // no capability here
            00 00 01 00 00 00 00 00  // size
            00 00 00 00 00 00 00 00  // offset in the file
            """
        )
        var toldAll = true
        #expect(bytes { toldAll = Self.sparse.writeReply(to: &$0, room: 63) } == bytes0)
        #expect(!toldAll)
    }

    /// A capability that points at itself, or back, ends the reading and not the reader.
    @Test(arguments: [UInt32(32), 8, 31, 4096])
    func regionInfoWithACapabilityLoop(next: UInt32) {
        var bytes0 = bytes { _ = Self.sparse.writeReply(to: &$0, room: 64) }
        for index in 0..<4 { bytes0[36 + index] = UInt8(truncatingIfNeeded: next >> UInt32(8 * index)) }
        #expect(throws: WireError.self) { try RegionInfo(bytes0.raw) }
    }

    @Test func ioDescriptors() throws {
        let request = golden(
            """
            70 00 00 00  // argsz
            00 00 00 00  // flags
            00 00 00 00  // index
            02 00 00 00  // count
            """
        )
        let head = IODescriptorsRequest(argumentSize: 0x70, index: 0, count: 2)
        #expect(bytes { head.write(to: &$0) } == request)
        #expect(try IODescriptorsRequest(request.raw) == head)

        let entry = golden(
            """
            18 c0 00 00 00 00 00 00  // offset in the region
            04 00 00 00 00 00 00 00  // size
            00 00 00 00              // descriptor of the eventfd
            02 00 00 00              // type: with shadow memory
            00 00 00 00              // flags
            01 00 00 00              // descriptor of the memory
            40 00 00 00 00 00 00 00  // offset in the memory
            00 00 00 00 00 00 00 00  // value to match: none
            """
        )
        let subregion = ShadowedSubregion(offset: 0xC018, size: 4, eventIndex: 0, memoryIndex: 1, memoryOffset: 64)
        #expect(bytes { subregion.write(to: &$0) } == entry)
        #expect(try ShadowedSubregion(entry.raw) == subregion)
    }

    @Test func interruptInfo() throws {
        let bytes0 = golden(
            """
            10 00 00 00  // argsz
            07 00 00 00  // flags: eventfd, maskable, automasked
            00 00 00 00  // index: INTx
            01 00 00 00  // count
            """
        )
        let info = InterruptInfo(flags: 7, index: 0, count: 1)
        #expect(bytes { info.write(to: &$0) } == bytes0)
        #expect(try InterruptInfo(bytes0.raw) == info)
    }

    @Test func setInterrupts() throws {
        let bytes0 = golden(
            """
            14 00 00 00  // argsz
            24 00 00 00  // flags: eventfd, trigger
            02 00 00 00  // index: MSI-X
            03 00 00 00  // start
            01 00 00 00  // count
            """
        )
        let request = SetInterruptsRequest(data: .eventDescriptors, action: .trigger, index: 2, start: 3, count: 1)
        #expect(bytes { request.write(to: &$0) } == bytes0)
        #expect(try SetInterruptsRequest(bytes0.raw) == request)
    }

    @Test func regionAccess() throws {
        let bytes0 = golden(
            """
            18 c0 00 00 00 00 00 00  // offset
            00 00 00 00              // region
            04 00 00 00              // count
            """
        )
        let access = RegionAccess(offset: 0xC018, region: 0, count: 4)
        #expect(bytes { access.write(to: &$0) } == bytes0)
        #expect(try RegionAccess(bytes0.raw) == access)
    }

    @Test func regionWrites() throws {
        let bytes0 = golden(
            """
            01 00 00 00 00 00 00 00  // number of writes
            18 e0 00 00 00 00 00 00  // offset
            00 00 00 00              // region
            04 00 00 00              // count
            44 33 22 11 00 00 00 00  // data
            """
        )
        let access = RegionAccess(offset: 0xE018, region: 0, count: 4)
        let written = bytes {
            $0.append(UInt64(1))
            RegionWrites.write(access, 0x1122_3344, to: &$0)
        }
        #expect(written == bytes0)
        #expect(try RegionWrites.count(bytes0.raw) == 1)
        let entry = try RegionWrites.entry(bytes0.raw, 0)
        #expect(entry.0 == access && entry.1 == 0x1122_3344)
    }

    @Test func deviceFeature() throws {
        let bytes0 = golden(
            """
            10 00 00 00  // argsz
            01 00 05 00  // flags: get, probe, migration
            """
        )
        let request = DeviceFeatureRequest(argumentSize: 16, flags: 0x5_0001)
        #expect(bytes { request.write(to: &$0) } == bytes0)
        #expect(try DeviceFeatureRequest(bytes0.raw) == request)
    }
}
