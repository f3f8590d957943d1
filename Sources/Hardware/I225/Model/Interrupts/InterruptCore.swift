// Interrupts in MSI-X mode: causes are edges into a latch, one message covers any number of them, and none is lost
// between "message sent" and "mask set again".
//
// An event sets its vector's bit in EICR. When the bit is also set in EIMS and the vector's gap (EITR) has passed, the
// message goes out; EIAC then clears the EICR bit, EIAM the EIMS bit. A cause that comes while the vector is masked
// stays in EICR and fires when EIMS is written.
//
// A message that tells of sent frames alone may be held back longer than EITR asks (`transmitGap`): hardly anybody waits
// for it, and a client may pay dearly for each.
// Source: Linux igc_main.c (igc_msix_ring, igc_msix_other, igc_ring_irq_enable) of 6.12 and 7.x; I210 data sheet §7.3.

import I225Wire
import Registers

struct InterruptCore {
    /// ICR.
    private(set) var causes = InterruptCause(raw: 0)
    /// IMS.
    private(set) var mask = InterruptCause(raw: 0)
    /// IAM; it holds in MSI and INTx modes only.
    var autoMask = InterruptCause(raw: 0)
    /// GPIE.
    var enable = GeneralInterruptEnable(raw: 0)
    /// EICR, a bit per vector like all that follows.
    private(set) var vectorCauses: UInt32 = 0
    /// EIMS.
    private(set) var vectorMask: UInt32 = 0
    /// EIAC.
    var vectorAutoClear: UInt32 = 0 { didSet { vectorAutoClear &= Self.allVectors } }
    /// EIAM.
    var vectorAutoMask: UInt32 = 0 { didSet { vectorAutoMask &= Self.allVectors } }
    /// IVAR.
    var queueVectors: InlineArray<2, QueueVectors> = [.init(raw: 0), .init(raw: 0)]
    /// IVAR_MISC.
    var otherVector = OtherVector(raw: 0)
    private(set) var messageCounts = InlineArray<5, UInt64>(repeating: 0)

    /// Vectors with an event that no message has told of. Without it a cause that software clears by hand (EIAC 0)
    /// would send its message over and over.
    private var due: UInt32 = 0
    private var throttles = InlineArray<5, InterruptThrottle>(repeating: .init(raw: 0))
    /// When the vector's next message may go out.
    private var earliest = InlineArray<5, UInt64>(repeating: 0)
    /// Between messages of a vector that tell of sent frames alone, at least so much; nanoseconds.
    private let transmitGap: UInt64
    /// The same as `earliest`, for such messages.
    private var earliestForTransmit = InlineArray<5, UInt64>(repeating: 0)
    /// Vectors with an event of another kind since their last message.
    private var urgent: UInt32 = 0

    private static var allVectors: UInt32 { 1 << UInt32(I225.vectorCount) - 1 }

    init(transmitGap: UInt64 = 0) { self.transmitGap = transmitGap }

    /// All to power-on; the counts of messages stay.
    mutating func reset() {
        let counts = messageCounts
        self = InterruptCore(transmitGap: transmitGap)
        messageCounts = counts
    }

    // MARK: Events

    /// A queue has written descriptors of received frames back.
    mutating func receiveEvent(_ queue: Int) { queueEvent(queue, transmit: false, isUrgent: true) }

    /// A queue has written descriptors of sent frames back.
    mutating func transmitEvent(_ queue: Int, isUrgent: Bool) { queueEvent(queue, transmit: true, isUrgent: isUrgent) }

    private mutating func queueEvent(_ queue: Int, transmit: Bool, isUrgent: Bool) {
        let entry = queueVectors[queue >> 1].raw >> QueueVectors.shift(queue: queue, transmit: transmit)
        guard entry & 0x80 != 0 else { return }
        setVectors(1 << (entry & 7), isUrgent: isUrgent)
    }

    /// Other causes, by the device or by ICS.
    mutating func raise(_ bits: InterruptCause) {
        causes.raw |= bits.raw
        if bits.raw & mask.raw != 0 { raiseOtherVector() }
    }

    private mutating func raiseOtherVector() {
        if otherVector[.valid] { setVectors(1 << otherVector[.vector]) }
    }

    private mutating func setVectors(_ bits: UInt32, isUrgent: Bool = true) {
        vectorCauses |= bits & Self.allVectors
        due |= bits & Self.allVectors
        if isUrgent { urgent |= bits }
    }

    // MARK: Registers

    /// A read of ICR: it clears all with GPIE.NSICR; without, unless an unmasked cause is missing (I210 §8.8.1).
    mutating func readCauses() -> InterruptCause {
        var value = causes
        let asserted = causes.raw & mask.raw != 0
        value[.asserted] = asserted
        if enable[.nonSelectiveClear] || mask.raw == 0 || asserted { causes.raw = 0 }
        return value
    }

    mutating func clearCauses(_ bits: UInt32) { causes.raw &= ~bits }

    mutating func setMask(_ bits: UInt32) {
        mask.raw |= bits
        if causes.raw & mask.raw != 0 { raiseOtherVector() }
    }

    mutating func clearMask(_ bits: UInt32) { mask.raw &= ~bits }

    mutating func setVectorCauses(_ bits: UInt32) { setVectors(bits) }

    mutating func clearVectorCauses(_ bits: UInt32) {
        vectorCauses &= ~bits
        due &= ~bits
        urgent &= ~bits
    }

    mutating func setVectorMask(_ bits: UInt32) {
        vectorMask |= bits & Self.allVectors
        due |= vectorCauses & bits
    }

    mutating func clearVectorMask(_ bits: UInt32) { vectorMask &= ~bits }

    func throttle(_ vector: Int) -> UInt32 { throttles[vector].raw }

    mutating func setThrottle(_ vector: Int, _ value: InterruptThrottle, now: UInt64) {
        throttles[vector] = InterruptThrottle(raw: value.raw & InterruptThrottle.intervalMask)
        if !value[.keepCounter] { earliest[vector] = now &+ gap(vector) }
    }

    private func gap(_ vector: Int) -> UInt64 { UInt64(throttles[vector][.microseconds]) * 1000 }

    // MARK: Messages

    private var ready: UInt32 { due & vectorCauses & vectorMask }

    private func earliestMessage(_ vector: Int) -> UInt64 {
        guard urgent & 1 << UInt32(vector) == 0 else { return earliest[vector] }
        return max(earliest[vector], earliestForTransmit[vector])
    }

    /// The vectors whose messages go out now, as bits.
    mutating func takeMessages(_ now: UInt64) -> UInt32 {
        var rest = ready
        guard rest != 0 else { return 0 }
        var sent: UInt32 = 0
        while rest != 0 {
            let vector = rest.trailingZeroBitCount
            rest &= rest &- 1
            guard now >= earliestMessage(vector) else { continue }
            let bit: UInt32 = 1 << UInt32(vector)
            sent |= bit
            due &= ~bit
            urgent &= ~bit
            vectorCauses &= ~(bit & vectorAutoClear)
            if enable[.extendedAutoMask] { vectorMask &= ~(bit & vectorAutoMask) }
            earliest[vector] = now &+ gap(vector)
            earliestForTransmit[vector] = now &+ transmitGap
            messageCounts[vector] &+= 1
        }
        return sent
    }

    /// When a message that waits for its gap may go out.
    var nextDeadline: UInt64? {
        var rest = ready
        var deadline: UInt64?
        while rest != 0 {
            let time = earliestMessage(rest.trailingZeroBitCount)
            rest &= rest &- 1
            deadline = min(deadline ?? time, time)
        }
        return deadline
    }
}
