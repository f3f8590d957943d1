// Messages of the hardware channel: every layout's size, the places of its fields, and bytes that are no message.

import MANAWire
import Testing

@Suite struct MessageTests {
    /// Request and response bytes, as structures of Linux's headers have them.
    @Test func sizesOfAllMessages() {
        func sizes<Layout: RequestLayout>(_: Layout.Type) -> [Int] {
            [Int(Layout.kind.rawValue), Layout.byteCount, Layout.Response.byteCount]
        }
        #expect(sizes(VerifyVersion.self) == [1, 640, 72])
        #expect(sizes(QueryMaxResources.self) == [2, 40, 72])
        #expect(sizes(ListDevices.self) == [3, 40, 296])
        #expect(sizes(RegisterDevice.self) == [4, 40, 44])
        #expect(sizes(DeregisterDevice.self) == [5, 40, 32])
        #expect(sizes(GenerateTestEvent.self) == [10, 44, 32])
        #expect(sizes(CreateQueue.self) == [12, 96, 36])
        #expect(sizes(DisableQueue.self) == [13, 52, 32])
        #expect(sizes(AllocateResourceRange.self) == [22, 56, 36])
        #expect(sizes(DestroyResourceRange.self) == [24, 52, 32])
        #expect(sizes(CreateRegion.self) == [25, 64, 40])
        #expect(sizes(AddPages.self) == [26, 56, 32])
        #expect(sizes(DestroyRegion.self) == [27, 48, 32])
        #expect(sizes(CreateProtectionDomain.self) == [29, 48, 48])
        #expect(sizes(DestroyProtectionDomain.self) == [30, 48, 32])
        #expect(sizes(CreateMemoryRegistration.self) == [31, 88, 48])
        #expect(sizes(DestroyMemoryRegistration.self) == [32, 48, 32])
        #expect(sizes(QueryChannelTimeout.self) == [84, 48, 40])
        #expect(sizes(AllocateDeviceMemory.self) == [96, 56, 40])
        #expect(sizes(DestroyDeviceMemory.self) == [97, 48, 32])
        #expect(sizes(QueryDeviceConfiguration.self) == [0x20001, 88, 80])
        #expect(sizes(QueryFunctionStatistics.self) == [0x20002, 48, 256])
        #expect(sizes(ConfigurePortTransmit.self) == [0x20003, 56, 36])
        #expect(sizes(CreateWorkQueue.self) == [0x20004, 96, 56])
        #expect(sizes(DestroyWorkQueue.self) == [0x20005, 56, 32])
        #expect(sizes(FenceReceiveQueue.self) == [0x20006, 48, 32])
        #expect(sizes(ConfigurePortReceive.self) == [0x20007, 120, 40])
        #expect(sizes(QueryPort.self) == [0x20008, 44, 64])
        #expect(sizes(QueryLink.self) == [0x2000A, 48, 48])
        #expect(sizes(SetBandwidthClamp.self) == [0x2000B, 56, 40])
        #expect(sizes(QueryPhysicalStatistics.self) == [0x2000C, 48, 440])
        #expect(sizes(RegisterFilter.self) == [0x28000, 72, 40])
        #expect(sizes(DeregisterFilter.self) == [0x28001, 48, 32])
        #expect(sizes(RegisterHardwarePort.self) == [0x28003, 48, 40])
        #expect(sizes(DeregisterHardwarePort.self) == [0x28004, 48, 32])
        #expect(CreateWorkQueue.shortestByteCount == 88)
        #expect(CreateWorkQueueResponse.shortestByteCount == 48)
        #expect(ConfigurePortReceiveResponse.shortestByteCount == 32)
    }

    @Test func aRequestSaysTwiceWhatItIs() {
        var request = Message<CreateQueue>(to: .network, activity: 7, version: 2, responseVersion: 3)
        request[.messageID] = 0x0102
        request[.type] = QueueType.event.rawValue
        request[.region] = 0x8877_6655_4433_2211
        request[.vector] = 3
        var expected = [UInt8](repeating: 0, count: 96)
        expected[4] = 12  // what it is
        expected[8] = 2  // its version
        (expected[10], expected[11]) = (0x02, 0x01)  // its id
        expected[12] = 96  // its bytes
        expected[20] = 12  // of the answer: what it is, version, bytes
        expected[24] = 3
        expected[28] = 36
        expected[32] = 2  // the device
        expected[36] = 7  // the activity
        expected[40] = 4  // an event queue
        expected.replaceSubrange(56..<64, with: [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88])
        expected[76] = 3
        #expect(Array(request.bytes) == expected)
        #expect(request[.region] == 0x8877_6655_4433_2211)
    }

    @Test func elementsFollowTheFixedPart() throws {
        var request = Message<CreateRegion>(to: .channel, elementBytes: 3 * 8)
        for index in 0..<3 { request[.pages, index] = UInt64(index + 1) << 12 }
        #expect(request.byteCount == 88 && request[.messageBytes] == 88)
        #expect(Array(request.bytes[72..<80]) == [0, 0x20, 0, 0, 0, 0, 0, 0])
        let copy = try Message<CreateRegion>(Array(request.bytes))
        #expect(copy == request)
        #expect(copy.elements(.pages) == [0x1000, 0x2000, 0x3000])
    }

    @Test func fieldsThatAnOlderVersionLacksAreZero() throws {
        let short = [UInt8](repeating: 0xFF, count: 88)
        let request = try Message<CreateWorkQueue>(short)
        #expect(request[.eventQueue] == ~0)
        #expect(request[.wantsModeration] == 0 && request[.moderationMicroseconds] == 0)
        #expect(request.byteCount == 88)
    }

    @Test func bytesThatAreNoMessage() {
        let bytes = [UInt8](repeating: 0, count: 4097)
        #expect(throws: MessageError.tooShort(bytes: 39, needed: 40)) {
            _ = try Message<AnyRequest>(Array(bytes[..<39]))
        }
        #expect(throws: MessageError.tooLong(bytes: 4097)) { _ = try Message<AnyRequest>(bytes) }
        #expect(throws: MessageError.tooShort(bytes: 87, needed: 88)) {
            _ = try Message<CreateWorkQueue>(Array(bytes[..<87]))
        }
    }

    @Test func aResponseFillsWhatTheCallerHasRoomFor() {
        var response = Message<CreateWorkQueueResponse>()
        response[.object] = ~0
        response[.isModerated] = 1
        var bytes = [UInt8](repeating: 0xEE, count: 64)
        var span = bytes.mutableSpan
        // SAFETY: any bits are a valid UInt8.
        var raw = unsafe span.mutableBytes
        response.copy(into: &raw)
        #expect(bytes[40..<48].allSatisfy { $0 == 0xFF })
        #expect(bytes[52] == 1)
        #expect(bytes[56..<64].allSatisfy { $0 == 0 })
    }

    @Test func anElementOutsideTraps() async {
        await #expect(processExitsWith: .failure) { _ = Message<CreateRegion>()[.pages, 0] }
    }

    // MARK: Statistics

    /// The mask has multicast before broadcast, the answer broadcast before multicast.
    @Test func maskBitsOfStatisticsAreNotTheirPlaces() {
        #expect(FunctionStatistic.allCases.count == 27)
        #expect(FunctionStatistic.allCases.reduce(0) { $0 | $1.maskBit } == 1 << 27 - 1)
        #expect(FunctionStatistic.receiveBroadcastPackets.rawValue == 5)
        #expect(FunctionStatistic.receiveBroadcastPackets.maskBit == 0x80)
        #expect(FunctionStatistic.receiveMulticastPackets.rawValue == 7)
        #expect(FunctionStatistic.receiveMulticastPackets.maskBit == 0x20)
        #expect(FunctionStatistic.transmitBroadcastBytes.rawValue == 23)
        #expect(FunctionStatistic.transmitBroadcastBytes.maskBit == 0x200_0000)
        #expect(FunctionStatistic.transmitRequest.maskBit == 0x400_0000)
        #expect(FunctionStatistic.transmitOutOfBand.maskBit == 0x4_0000)
        #expect(Set(FunctionStatistic.allCases.map(\.name)).count == 27)
    }

    @Test func countersOfThePortAlternateByDirection() {
        #expect(PhysicalStatistic.all.map(\.place) == Array(0..<50))
        #expect(Set(PhysicalStatistic.all.map(\.name)).count == 50)
        #expect(PhysicalStatistic.all[21].name == "hc_tc1_tx_byte_phy")
    }

    // MARK: Capabilities

    @Test func whatDriversOfLinuxSayThatTheyCan() {
        #expect(
            DriverCapabilities(rawValue: 0x82D).contains([.channelTimeout, .variableIndirection, .deviceListHoles])
        )
        #expect(!DriverCapabilities(rawValue: 0x82D).contains(.dynamicVectors))
        let newer: DriverCapabilities = [
            .eventQueueSharing, .workCountFix, .channelTimeout, .variableIndirection, .linkAware, .deviceListHoles,
            .dynamicVectors, .selfReset, .reconfigurationEvent, .sendStallRecovery, .vectorsPerPort, .linearises,
            .periodicStatistics, .probeRecovery, .channelTimeoutRecovery, .dynamicModeration, .scatteredRings,
        ]
        #expect(newer.rawValue == 0x527E_686D)
    }
}
