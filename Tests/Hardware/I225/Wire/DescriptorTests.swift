// Bits of descriptors against section 4 of the I225 contract, written out by hand.

import I225Wire
import Registers
import Testing

@Suite("Descriptors")
struct DescriptorTests {
    @Test func aReceiveDescriptorIsItsAddressAndAClearLength() {
        let descriptor = ReceiveDescriptor(bufferAddress: 0x1234_5678_9ABC_D000)
        #expect(descriptor.low == 0x1234_5678_9ABC_D000)
        #expect(descriptor.high == 0)
    }

    @Test func aReceiveWriteBackHasItsFieldsInPlace() {
        let value = ReceiveWriteBack(
            rssType: .udpIPv4,
            rssHash: 0xAABB_CCDD,
            status: .with {
                $0[.done] = true
                $0[.endOfPacket] = true
                $0[.stamped] = true
                $0[.receiveError] = true
            },
            length: 0x1234,
            vlanTag: 0x5678
        )
        #expect(value.low == 0xAABB_CCDD_0000_0007)
        #expect(value.high == 0x5678_1234_8000_8003)
        #expect(value.rssType == .udpIPv4)
        #expect(value.rssHash == 0xAABB_CCDD)
        #expect(value.length == 0x1234)
        #expect(value.vlanTag == 0x5678)
        #expect(value.status[.stamped])
        #expect(!value.status[.vlanStripped])
    }

    @Test("Reserved RSS types are none that is known", arguments: [UInt64(10), 15])
    func reservedRSSType(_ type: UInt64) {
        #expect(ReceiveWriteBack(low: type, high: 0).rssType == nil)
    }

    @Test func lengthAndStatusAreAddedToAWriteBack() {
        let findings = ReceiveWriteBack(low: 7, high: 0x5678_0000_0000_0008)
        #expect(
            findings.with(ReceiveStatus(raw: 3), length: 80) == ReceiveWriteBack(low: 7, high: 0x5678_0050_0000_000B)
        )
    }

    @Test func aStampHeaderIsFourDwordsTimer1First() {
        let header = ReceiveStampHeader(
            timer1: DeviceTime(nanoseconds: 1, seconds: 2),
            timer0: DeviceTime(nanoseconds: 3, seconds: 4)
        )
        #expect(header.first == 0x0000_0002_0000_0001)
        #expect(header.second == 0x0000_0004_0000_0003)
        #expect(ReceiveStampHeader(first: header.first, second: header.second) == header)
    }

    @Test func aZeroCopyFrameIsTheWordsThatLinuxWrites() {
        // DTYP 3, DEXT, IFCS, EOP, RS and the length; olinfo is the length at bit 14 (igc_xdp_xmit_zc).
        var command = TransmitCommand.dataDescriptor
        command[.length] = 60
        command[.insertCRC] = true
        command[.endOfPacket] = true
        command[.reportStatus] = true
        var options = TransmitOptions(raw: 0)
        options[.payloadLength] = 60
        let descriptor = TransmitDataDescriptor(bufferAddress: 0x1000, command: command, options: options)
        #expect(descriptor.low == 0x1000)
        #expect(descriptor.high == 0x000F_0000_2B30_003C)
        #expect(TransmitDescriptorType(high: descriptor.high) == .data)
        #expect(TransmitDataDescriptor(low: descriptor.low, high: descriptor.high) == descriptor)
    }

    @Test func aStampRequestIsBit19TheSlotAndTheTimer() {
        var command = TransmitCommand(raw: 0)
        command[.stamp] = true
        command[.stampSlot] = 3
        #expect(command.raw == 0x000B_0000)
        var options = TransmitOptions(raw: 0)
        options[.stampWithFreeTimer] = true
        #expect(options.raw == 0x20)
    }

    @Test func DDIsBit0OfTheLastDword() {
        #expect(TransmitDataDescriptor.doneBit == 0x0000_0001_0000_0000)
        let done = TransmitDataDescriptor(low: 0, high: TransmitDataDescriptor.doneBit)
        #expect(done.options[.done])
    }

    @Test func aContextHasItsFieldsInPlace() {
        let context = TransmitContextDescriptor(
            vlanTag: 0xABCD,
            macHeaderLength: 14,
            ipHeaderLength: 40,
            transportHeaderLength: 20,
            segmentSize: 1460,
            transport: .tcp,
            isIPv4: true,
            launchTime: 0x1234_5678,
            index: 2,
            isFirst: true
        )
        #expect(context.low == 0x1234_5678_ABCD_1C28)
        #expect(context.high == 0x05B4_14A0_2020_0C00)
        #expect(TransmitDescriptorType(high: context.high) == .context)
        #expect(context.macHeaderLength == 14)
        #expect(context.ipHeaderLength == 40)
        #expect(context.vlanTag == 0xABCD)
        #expect(context.launchTime == 0x1234_5678)
        #expect(context.transportHeaderLength == 20)
        #expect(context.segmentSize == 1460)
        #expect(context.transport == .tcp)
        #expect(context.isIPv4 && context.isFirst)
        #expect(context.index == 2)
    }

    @Test func theReservedTransportIsNone() {
        #expect(TransmitContextDescriptor(low: 0, high: 3 << 11).transport == nil)
    }
}
