// Values that both sides share, against sections 2 and 6 of the I225 contract.

import I225Wire
import Registers
import Testing

@Suite("Shared facts")
struct FactsTests {
    @Test(
        "Speeds of STATUS",
        arguments: [
            (UInt32(0), LinkSpeed.megabits10), (0x40, .megabits100), (0x80, .megabits1000), (0x40_0080, .megabits2500),
        ]
    )
    func speed(_ bits: UInt32, _ speed: LinkSpeed) {
        #expect(DeviceStatus(raw: bits).speed == speed)
        var status = DeviceStatus(raw: 0x40_00C0)
        status.speed = speed
        #expect(status.raw == bits)
    }

    @Test func timesGoToRegistersAndBack() {
        let time = DeviceTime(totalNanoseconds: 12_345_678_901_234_567)
        #expect(time == DeviceTime(nanoseconds: 901_234_567, seconds: 12_345_678))
        #expect(time.totalNanoseconds == 12_345_678_901_234_567)
        #expect(DeviceTime(registers: time.registers) == time)
        #expect(time.registers & 0xFFFF_FFFF == 901_234_567)
    }

    @Test func anNVMIsValidIfItsFirst64WordsAddUp() {
        var words = [UInt16](repeating: 0x0101, count: 64)
        words[NVMLayout.checksum] = NVMLayout.expectedSum &- words[..<63].reduce(0, &+)
        #expect(NVMLayout.isValid(words))
        words[10] += 1
        #expect(!NVMLayout.isValid(words))
        #expect(!NVMLayout.isValid([]))
    }

    @Test func stampSlotsLieWhereTheContractHasThem() {
        #expect((0..<4).map { I225Register.transmitStampLow($0).offset } == [0xB618, 0xB698, 0xB6B8, 0xB6D8])
        #expect((0..<4).map { I225Register.transmitStampHigh($0).offset } == [0xB61C, 0xB69C, 0xB6BC, 0xB6DC])
    }

    @Test func theBytesOfIVARAreReceiveAndTransmitOfEvenAndOddQueues() {
        #expect(QueueVectors.shift(queue: 0, transmit: false) == 0)
        #expect(QueueVectors.shift(queue: 2, transmit: true) == 8)
        #expect(QueueVectors.shift(queue: 1, transmit: false) == 16)
        #expect(QueueVectors.shift(queue: 3, transmit: true) == 24)
    }
}
