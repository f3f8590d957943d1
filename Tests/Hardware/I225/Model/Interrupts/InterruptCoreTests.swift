// Section 5 of the I225 contract, row by row. Vectors as Linux has them: 0 other causes, 1 + q queue q.

import Backing
import Clock
import I225Model
import I225Wire
import Interrupts
import PCIe
import Registers
import TestFrames
import Testing

@Suite("Interrupts")
struct InterruptCoreTests {
    private func rig(_ change: (inout I225Options) -> Void = { _ in }) throws -> Rig {
        let rig = try Rig(change)
        rig.linkUp()
        rig.enableInterrupts()
        return rig
    }

    @Test func aCauseSetBySoftwareSendsTheVectorsMessage() throws {
        let rig = try rig()
        let lease = try rig.attach(1)
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(lease.firedCount == 1)
    }

    @Test func theMessageClearsCauseAndMaskWhereToldSo() throws {
        let rig = try rig()
        rig.write(I225Register.vectorAutoClear, 0x2)
        rig.write(I225Register.vectorAutoMask, 0x4)
        rig.write(I225Register.vectorCauseSet, 0x6)
        #expect(rig.read(I225Register.vectorCause) == 0x4)
        #expect(rig.read(I225Register.vectorMaskSet) == 0x1B)
    }

    @Test func withoutExtendedAutoMaskTheMaskStays() throws {
        let rig = try rig()
        rig.write(I225Register.generalInterruptEnable, GeneralInterruptEnable(raw: 0x8000_0011))
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(rig.read(I225Register.vectorMaskSet) == 0x1F)
    }

    @Test func aCauseThatSoftwareMustClearSendsOneMessageNotAStorm() throws {
        let rig = try rig()
        let lease = try rig.attach(1)
        rig.write(I225Register.vectorAutoClear, 0)
        rig.write(I225Register.vectorAutoMask, 0)
        rig.write(I225Register.vectorCauseSet, 0x2)
        rig.poll()
        rig.advance(nanoseconds: 1_000_000)
        #expect(lease.firedCount == 1)
        rig.write(I225Register.vectorCause, 0x2)
        #expect(rig.read(I225Register.vectorCause) == 0)
    }

    /// The lost edge: an event between "message sent" and "mask set again" must fire when the mask is set.
    @Test func anEventWhileTheVectorIsMaskedFiresWhenTheMaskIsSet() throws {
        let rig = try rig()
        rig.enableTraffic()
        let lease = try rig.attach(1)
        let bench = try ReceiveBench(rig)
        rig.arriveAndPoll(testFrame(64))
        #expect(lease.firedCount == 1)
        rig.arriveAndPoll(testFrame(64))
        rig.arriveAndPoll(testFrame(64))
        #expect(lease.firedCount == 1)
        #expect(rig.read(I225Register.vectorCause) == 0x2)
        rig.write(I225Register.vectorMaskSet, 0x2)
        #expect(lease.firedCount == 2)
        #expect(bench.head == 3)
        rig.write(I225Register.vectorMaskSet, 0x2)
        #expect(lease.firedCount == 2)
    }

    @Test func transmitAndReceiveRaiseTheVectorsThatIVARNames() throws {
        let rig = try rig()
        rig.enableTraffic()
        rig.write(I225Register.queueVectors[1], QueueVectors(raw: 0x0300_8400))
        let transmitter = try TransmitBench(rig, queue: 2)
        let lease = try rig.attach(4)
        transmitter.put(testFrame(64))
        transmitter.ring()
        // Bits 15:8 are the transmit side of the even queue, and valid.
        #expect(lease.firedCount == 1)
        let odd = try TransmitBench(rig, queue: 3)
        let silent = try rig.attach(3)
        odd.put(testFrame(64))
        odd.ring()
        #expect(silent.firedCount == 0)
    }

    @Test func aFrameWithoutRSAndAContextRaiseNothing() throws {
        let rig = try rig()
        rig.enableTraffic()
        let lease = try rig.attach(1)
        let bench = try TransmitBench(rig)
        bench.put(TransmitContextDescriptor(vlanTag: 1))
        bench.put(testFrame(64)) { $0[.reportStatus] = false }
        bench.ring()
        #expect(bench.head == 2)
        #expect(lease.firedCount == 0)
    }

    @Test func otherCausesNeedTheirMaskAndGoToTheOtherVector() throws {
        let rig = try rig()
        let lease = try rig.attach(0)
        rig.model.setCable(plugged: false)
        #expect(lease.firedCount == 0)
        rig.write(I225Register.interruptMaskSet, .with { $0[.linkChanged] = true })
        #expect(lease.firedCount == 1)
        #expect(rig.read(I225Register.interruptCause)[.linkChanged])
    }

    @Test func aReadOfTheCausesClearsThem() throws {
        let rig = try rig()
        rig.write(I225Register.interruptCauseSet, InterruptCause(raw: 0x5))
        #expect(rig.read(I225Register.interruptCauseSet).raw == 0x5)
        #expect(rig.read(I225Register.interruptCause).raw == 0x5)
        #expect(rig.read(I225Register.interruptCause).raw == 0)
    }

    @Test func causesAreClearedByOnesToo() throws {
        let rig = try rig()
        rig.write(I225Register.interruptCauseSet, InterruptCause(raw: 0x5))
        rig.write(I225Register.interruptCause, InterruptCause(raw: 0x1))
        #expect(rig.read(I225Register.interruptCause).raw == 0x4)
    }

    @Test func toolsReadCausesAndMasksWithoutEffect() throws {
        let rig = try rig()
        rig.write(I225Register.vectorMaskClear, 0x2)
        rig.write(I225Register.vectorCauseSet, 0x2)
        for _ in 0..<2 {
            #expect(rig.read(I225Register.vectorCauseSet) == 0x2)
            #expect(rig.read(I225Register.vectorMaskClear) == 0x1D)
            #expect(rig.read(I225Register.interruptMaskClear).raw == 0)
        }
    }

    @Test func theGapHoldsTheNextMessageAndIsADeadline() throws {
        let rig = try rig()
        let lease = try rig.attach(1)
        // 648 in the register is 162 µs.
        rig.write(I225Register.vectorThrottle[1], InterruptThrottle(raw: 0x8000_0000 | 648))
        #expect(rig.read(I225Register.vectorThrottle[1]).raw == 648)
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(lease.firedCount == 1)
        rig.write(I225Register.vectorMaskSet, 0x2)
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(lease.firedCount == 1)
        #expect(rig.model.nextDeadline == rig.clock.now + 162_000)
        rig.advance(nanoseconds: 161_999)
        #expect(lease.firedCount == 1)
        rig.advance(nanoseconds: 1)
        #expect(lease.firedCount == 2)
    }

    @Test func aGapThatIsWrittenWithoutTheKeepBitStartsAnew() throws {
        let rig = try rig()
        let lease = try rig.attach(1)
        rig.write(I225Register.vectorThrottle[1], InterruptThrottle(raw: 400))
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(lease.firedCount == 0)
        rig.advance(nanoseconds: 100_000)
        #expect(lease.firedCount == 1)
    }

    @Test func newsOfSentFramesAloneWaitsForItsOwnGap() throws {
        let rig = try rig { $0.transmitMessageGapNanoseconds = 200_000 }
        rig.enableTraffic()
        let lease = try rig.attach(1)
        let bench = try TransmitBench(rig)
        bench.put(testFrame(64))
        bench.ring()
        #expect(lease.firedCount == 1)
        rig.write(I225Register.vectorMaskSet, 0x2)
        bench.put(testFrame(64))
        bench.ring()
        #expect(bench.head == 2)
        #expect(lease.firedCount == 1)
        #expect(rig.model.nextDeadline == rig.clock.now + 200_000)
        rig.advance(nanoseconds: 199_999)
        #expect(lease.firedCount == 1)
        rig.advance(nanoseconds: 1)
        #expect(lease.firedCount == 2)
    }

    @Test func aReceivedFrameTakesTheNewsOfSentOnesAlong() throws {
        let rig = try rig { $0.transmitMessageGapNanoseconds = 200_000 }
        rig.enableTraffic()
        let lease = try rig.attach(1)
        let receiver = try ReceiveBench(rig)
        let transmitter = try TransmitBench(rig)
        transmitter.put(testFrame(64))
        transmitter.ring()
        rig.write(I225Register.vectorMaskSet, 0x2)
        transmitter.put(testFrame(64))
        transmitter.ring()
        #expect(lease.firedCount == 1)
        rig.arriveAndPoll(testFrame(64))
        #expect(receiver.head == 1)
        #expect(lease.firedCount == 2)
    }

    /// A driver may wait for room in its ring: a quarter of it is news that does not wait.
    @Test func aQuarterOfTheRingDoesNotWait() throws {
        let rig = try rig { $0.transmitMessageGapNanoseconds = 200_000 }
        rig.enableTraffic()
        let lease = try rig.attach(1)
        let bench = try TransmitBench(rig, count: 16)
        bench.put(testFrame(64))
        bench.ring()
        for frame in 2...4 {
            rig.write(I225Register.vectorMaskSet, 0x2)
            bench.put(testFrame(64))
            bench.ring()
            #expect(lease.firedCount == (frame < 4 ? 1 : 2))
        }
    }

    /// Linux lets a card have little of a TCP send at a time, and waits for news of it to hand over more.
    @Test func aSendThatWasCutIntoSegmentsDoesNotWait() throws {
        let rig = try rig { $0.transmitMessageGapNanoseconds = 200_000 }
        rig.enableTraffic()
        let lease = try rig.attach(1)
        let bench = try TransmitBench(rig, count: 64)
        bench.put(testFrame(64))
        bench.ring()
        #expect(lease.firedCount == 1)
        rig.write(I225Register.vectorMaskSet, 0x2)
        bench.put(
            TransmitContextDescriptor(
                macHeaderLength: 14,
                ipHeaderLength: 20,
                transportHeaderLength: 20,
                segmentSize: 500,
                transport: .tcp,
                isIPv4: true
            )
        )
        bench.put(ipv4Frame(6, tcp([UInt8](repeating: 7, count: 1700)))) {
            $0[.segment] = true
        } options: {
            $0[.payloadLength] = 1700
        }
        bench.ring()
        #expect(lease.firedCount == 2)
    }

    @Test func aMaskedTableEntryKeepsTheMessagePending() throws {
        let rig = try rig()
        let lease = try rig.attach(1)
        let table = try rig.device.mapBAR(I225.msixBAR)
        table.store(16 + 12, 1)
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(lease.firedCount == 0)
        #expect(table.load(UInt32(I225.msixPendingOffset)) == 0x2)
        table.store(16 + 12, 0)
        #expect(lease.firedCount == 1)
        #expect(table.load(UInt32(I225.msixPendingOffset)) == 0)
    }

    @Test func noMessageWithoutBusMaster() throws {
        let rig = try rig()
        let lease = try rig.attach(1)
        try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x2)
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(lease.firedCount == 0)
        try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x6)
        #expect(lease.firedCount == 1)
    }

    @Test func theFunctionMaskHoldsAllMessages() throws {
        let rig = try rig()
        let lease = try rig.attach(1)
        try rig.device.writeConfig(0x72, .word, 0xC000)
        rig.write(I225Register.vectorCauseSet, 0x2)
        #expect(lease.firedCount == 0)
        let table = try rig.device.mapBAR(I225.msixBAR)
        #expect(table.load(UInt32(I225.msixPendingOffset)) == 0x2)
        try rig.device.writeConfig(0x72, .word, 0x8000)
        #expect(lease.firedCount == 1)
    }

    @Test func vectorsThatDoNotExistAreIgnored() throws {
        let rig = try rig()
        rig.write(I225Register.vectorCauseSet, 0xFFFF_FFE0)
        rig.write(I225Register.vectorMaskSet, 0xFFFF_FFE0)
        #expect(rig.read(I225Register.vectorCause) == 0)
        // A queue may name vector 7 of 5.
        rig.write(I225Register.queueVectors[0], QueueVectors(raw: 0x8787_8787))
        rig.enableTraffic()
        let bench = try ReceiveBench(rig)
        rig.arriveAndPoll(testFrame(64))
        #expect(bench.head == 1)
        #expect(rig.model.counters.messages.reduce(0, +) == 0)
    }

    @Test func aDeviceResetClearsCausesMasksAndRoutes() throws {
        let rig = try rig()
        rig.write(I225Register.vectorMaskClear, 0x1F)
        rig.write(I225Register.vectorCauseSet, 0x2)
        rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        #expect(rig.read(I225Register.vectorCause) == 0)
        #expect(rig.read(I225Register.vectorMaskSet) == 0)
        #expect(rig.read(I225Register.queueVectors[0]).raw == 0)
        #expect(rig.read(I225Register.generalInterruptEnable).raw == 0)
    }
}
