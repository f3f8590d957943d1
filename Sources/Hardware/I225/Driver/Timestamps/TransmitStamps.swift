// The four Tx timestamp registers of a card, shared by all its queues.
//
// Source: `igc_ptp.c` (igc_ptp_tx_tstamp_event, 6.12.69 and later) for the read order; docs/stamp-weaknesses.md for what the
// kernel leaves open: no deadline, no tag against late stamps, silence when no register is free.
//
//   free ──claim──► pending ──stamp──► answered ──take──► free
//                      │ abandon (deadline, tear-down)
//                      ▼
//                 quarantined ──stamp drained──► free
//                      └──quarantine over──► free, suspect
//
// Forbidden: quarantined → pending. A register that still owes a stamp would hand it to its next user.
// A register whose quarantine ran out may owe one still; its next user takes a stamp only if it is younger than the
// claim. The hardware has no sequence tag: time is the tag. A step of the clock meanwhile makes it void, and the next
// user ends without a stamp.

import Backing
import CLinux
import Clock
import I225Wire
import Registers
import Synchronization

/// What happened to the stamps of a card so far.
public struct TransmitStampCounters: Sendable, Equatable {
    /// Stamps handed to the request they belong to.
    public var stamped: UInt64 = 0
    /// Requests that found no register free (Linux: tx_hwtstamp_skipped).
    public var skipped: UInt64 = 0
    /// Requests whose deadline passed (Linux: tx_hwtstamp_timeouts).
    public var timedOut: UInt64 = 0
    /// Stamps that came after their request had ended. They went nowhere.
    public var late: UInt64 = 0
}

/// The allocator and the reader of the four registers. Any queue's owner may call any method.
public final class TransmitStamps<BAR: RegisterAccess>: @unchecked Sendable {
    // SAFETY (Sendable): `freeSlots`, `expecting` and `answers` are atomics; all else is touched under `lock` alone.
    private let bar: BAR
    private let clock: DeviceClock
    /// How long a look at the registers that found nothing is good for. A look is a register read, on real hardware a
    /// microsecond.
    private let collectIntervalNanoseconds: UInt64
    /// A flooded queue looks this often at the least.
    private let longestPauseNanoseconds: UInt64
    /// How long an abandoned register waits for its late stamp before it is lent again.
    private let quarantineNanoseconds: UInt64
    private let floodedShare: UInt64 = 48

    private let lock = Atomic<Bool>(false)
    private let freeSlots = Atomic<UInt32>(0)
    /// Slots with a live request.
    private let expecting = Atomic<UInt32>(0)
    /// Slots whose last user's stamp never came: the next user's must be younger than its claim.
    private let suspects = Atomic<UInt32>(0)
    /// A corrected stamp in ns, or 0: none yet.
    private let answers: InlineArray<4, Atomic<UInt64>>
    /// When registers may be looked at next, and when by a queue that is flooded with frames.
    private let nextLook = Atomic<UInt64>(0)
    private let nextFloodedLook = Atomic<UInt64>(0)
    private let skipped = Atomic<UInt64>(0)

    // Under `lock`.
    private var slots = InlineArray<4, SlotHistory>(repeating: SlotHistory())
    private var tally = TransmitStampCounters()
    private var latencyNanoseconds: UInt64 = 0

    public init<Backing: PCIeBacking>(
        _ hardware: I225Hardware<Backing>,
        _ configuration: I225Configuration
    ) where Backing.BAR == BAR {
        bar = hardware.bar
        clock = hardware.clock
        collectIntervalNanoseconds = configuration.stampCollectIntervalNanoseconds
        longestPauseNanoseconds = configuration.stampDeadlineNanoseconds / 4
        quarantineNanoseconds = configuration.stampQuarantineNanoseconds
        self.answers = InlineArray { _ in Atomic(0) }
    }

    /// Switches stamping on after a device reset: reads every register once, so that nothing old is taken for new.
    public func enable() {
        withLock {
            for slot in 0..<TransmitStampSlot.count {
                slots[slot] = SlotHistory()
                slots[slot].lastRead = readRegister(slot)
            }
            freeSlots.store(TransmitStampSlot.all, ordering: .releasing)
        }
    }

    /// The link's speed decides how long before the wire a stamp is taken.
    public func setLatency(nanoseconds: UInt64) { withLock { latencyNanoseconds = nanoseconds } }

    public var counters: TransmitStampCounters {
        var counters = withLock { tally }
        counters.skipped = skipped.load(ordering: .relaxed)
        return counters
    }

    /// Registers that a request holds now.
    public var pendingCount: Int { expecting.load(ordering: .relaxed).nonzeroBitCount }

    /// Whether all four registers are out.
    var isShort: Bool { freeSlots.load(ordering: .relaxed) == 0 }

    /// Registers lent to nobody.
    public var freeCount: Int { freeSlots.load(ordering: .relaxed).nonzeroBitCount }

    /// A register for one request, or nil: all four are out. The caller ends it with `take` or `abandon`.
    public func claim() -> TransmitStampSlot? {
        var free = freeSlots.load(ordering: .relaxed)
        while free != 0 {
            let slot = free.trailingZeroBitCount
            let exchange = freeSlots.compareExchange(
                expected: free,
                desired: free & ~(1 << UInt32(slot)),
                ordering: .acquiringAndReleasing
            )
            if exchange.exchanged {
                answers[slot].store(0, ordering: .relaxed)
                if suspects.load(ordering: .acquiring) & (1 << UInt32(slot)) != 0 { tagWithTime(slot) }
                expecting.bitwiseOr(1 << UInt32(slot), ordering: .releasing)
                return TransmitStampSlot(index: UInt8(slot))
            }
            free = exchange.original
        }
        return nil
    }

    /// The slot's stamp in corrected ns, if it has come; the slot is then free again.
    public func take(_ slot: TransmitStampSlot) -> UInt64? {
        let answer = answers[Int(slot.index)].load(ordering: .acquiring)
        guard answer != 0 else { return nil }
        release(Int(slot.index))
        return answer
    }

    /// Gives a request up: its deadline has passed, or its queue goes. The stamp, if the register holds one after all;
    /// else the slot is in quarantine.
    public func abandon(_ slot: TransmitStampSlot, countsAsTimeout: Bool) -> UInt64? {
        withLock {
            let index = Int(slot.index)
            collectLocked()
            if answers[index].load(ordering: .relaxed) == 0 {
                // Erratum E2: reading TXSTMPH_0 may clear the valid bits of the others, and a stamp is then there
                // without its bit. A register holds its value, and no two stamps are equal.
                if let held = readRegister(index), held != slots[index].lastRead { deliver(held, to: index) }
            }
            let answer = answers[index].load(ordering: .relaxed)
            if answer != 0 {
                release(index)
                return answer
            }
            expecting.bitwiseAnd(~(1 << UInt32(index)), ordering: .releasing)
            slots[index].quarantinedUntil = clock.now &+ quarantineNanoseconds
            if countsAsTimeout { tally.timedOut += 1 }
            return nil
        }
    }

    /// Requests that found no register free; their frames went out without.
    public func countSkipped(_ count: Int) { skipped.wrappingAdd(UInt64(count), ordering: .relaxed) }

    /// Looks for stamps, unless another queue does so just now or has just done so.
    ///
    /// A look costs register reads: some 100 ns where the device is a call away, microseconds on PCIe, more where a BAR
    /// is trapped. A flooded queue spends one part in `floodedShare` of its time on them, so that plain frames do not
    /// feel the stamped ones; any other looks as often as it likes.
    ///
    /// - Returns: whether it looked.
    public func collect(now: UInt64, isFlooded: Bool) -> Bool {
        let next = isFlooded ? nextFloodedLook.load(ordering: .relaxed) : nextLook.load(ordering: .relaxed)
        guard now >= next, tryLock() else { return false }
        defer { unlock() }
        bar.together { collectLocked() }
        let end = clock.now
        let pause = max(collectIntervalNanoseconds, min((end &- now) &* floodedShare, longestPauseNanoseconds))
        nextLook.store(end &+ collectIntervalNanoseconds, ordering: .relaxed)
        nextFloodedLook.store(end &+ pause, ordering: .relaxed)
        return true
    }

    /// The full protocol for a time-sync interrupt, after TSICR was read.
    ///
    /// TXSTMPH_0 is read even if slot 0 has no stamp, or the card may raise no further interrupt (igc commit
    /// c789ad7cbebc); and a stamp that slot 0 got between the two reads is told by its changed low word (6990dc392a9a).
    public func collectAfterInterrupt() {
        withLock {
            let lowBefore = bar.load(I225Register.transmitStampLow(0).offset)
            let valid = validSlots()
            if valid & 1 == 0 {
                _ = bar.load(I225Register.transmitStampHigh(0).offset)
                let lowAfter = bar.load(I225Register.transmitStampLow(0).offset)
                if lowAfter != lowBefore { drain(1) }
            }
            drain(valid)
        }
    }

    /// The clock was stepped: the tag of time of a slot that may owe a stamp says nothing any more, so its request, or
    /// its next one, ends without a stamp.
    public func clockStepped() {
        withLock {
            for slot in 0..<TransmitStampSlot.count {
                slots[slot].notBefore = slots[slot].notBefore == 0 ? 0 : .max
                let isSuspect = suspects.load(ordering: .relaxed) & (1 << UInt32(slot)) != 0
                if isSuspect || slots[slot].quarantinedUntil != 0 { slots[slot].owesFromBeforeStep = true }
            }
        }
    }

    // MARK: under the lock

    private func collectLocked() {
        let valid = validSlots()
        if valid != 0 { drain(valid) }
        endQuarantines()
    }

    private func validSlots() -> UInt32 {
        let control = bar.load(I225Register.transmitStampControl.offset)
        // All ones: the card is gone, and so are its stamps.
        return control == ~0 ? 0 : control & TransmitStampSlot.all
    }

    private func drain(_ valid: UInt32) {
        // From 3 down, so that erratum E2 (TXSTMPH_0 clears all valid bits) cannot hide one seen as valid.
        for slot in stride(from: TransmitStampSlot.count - 1, through: 0, by: -1) where valid & (1 << UInt32(slot)) != 0
        {
            // No two stamps are equal: a valid bit that stays set brings nothing new.
            if let stamp = readRegister(slot), stamp != slots[slot].lastRead { deliver(stamp, to: slot) }
        }
    }

    /// Reads a slot's two registers, low first: the read of the high one clears the valid bit. Nil if what they hold is
    /// no time: the card is gone, or lies.
    private func readRegister(_ slot: Int) -> UInt64? {
        let low = bar.load(I225Register.transmitStampLow(slot).offset)
        let high = bar.load(I225Register.transmitStampHigh(slot).offset)
        // Seconds of all ones are a time, if the card is still there.
        guard low < 1_000_000_000, high != ~0 || bar.load(I225Register.transmitStampControl.offset) != ~0 else {
            return nil
        }
        return DeviceTime(nanoseconds: low, seconds: high).totalNanoseconds
    }

    private func deliver(_ raw: UInt64, to slot: Int) {
        slots[slot].lastRead = raw
        guard expecting.load(ordering: .acquiring) & (1 << UInt32(slot)) != 0 else {
            tally.late += 1
            if slots[slot].quarantinedUntil != 0 { endQuarantine(slot, isSuspect: false) }
            return
        }
        guard raw >= slots[slot].notBefore else {
            tally.late += 1
            return
        }
        guard answers[slot].load(ordering: .relaxed) == 0 else { return }
        slots[slot].notBefore = 0
        tally.stamped += 1
        answers[slot].store(raw &+ latencyNanoseconds, ordering: .releasing)
    }

    private func endQuarantines() {
        var now: UInt64?
        for slot in 0..<TransmitStampSlot.count where slots[slot].quarantinedUntil != 0 {
            let current = now ?? clock.now
            now = current
            guard current >= slots[slot].quarantinedUntil else { continue }
            slots[slot].lastRead = readRegister(slot)
            endQuarantine(slot, isSuspect: true)
        }
    }

    private func endQuarantine(_ slot: Int, isSuspect: Bool) {
        slots[slot].quarantinedUntil = 0
        slots[slot].notBefore = 0
        if isSuspect {
            suspects.bitwiseOr(1 << UInt32(slot), ordering: .releasing)
        } else {
            suspects.bitwiseAnd(~(1 << UInt32(slot)), ordering: .releasing)
            slots[slot].owesFromBeforeStep = false
        }
        freeSlots.bitwiseOr(1 << UInt32(slot), ordering: .releasing)
    }

    private func tagWithTime(_ slot: Int) {
        withLock {
            let low = bar.load(I225Register.systemTimeLow.offset)
            let high = bar.load(I225Register.systemTimeHigh.offset)
            let now = DeviceTime(nanoseconds: low, seconds: high).totalNanoseconds
            // A stamp is taken `latency` before the wire, so a frame that leaves at once may be that much older.
            let tag = now > latencyNanoseconds ? now - latencyNanoseconds : 1
            slots[slot].notBefore = slots[slot].owesFromBeforeStep ? .max : tag
            slots[slot].owesFromBeforeStep = false
            suspects.bitwiseAnd(~(1 << UInt32(slot)), ordering: .releasing)
        }
    }

    private func release(_ slot: Int) {
        expecting.bitwiseAnd(~(1 << UInt32(slot)), ordering: .releasing)
        freeSlots.bitwiseOr(1 << UInt32(slot), ordering: .releasing)
    }

    // MARK: the lock

    private func tryLock() -> Bool {
        lock.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    private func unlock() { lock.store(false, ordering: .releasing) }

    /// Held for a dozen register accesses at the most.
    private func withLock<Result>(_ body: () -> Result) -> Result {
        while !tryLock() { clinux_pause() }
        defer { unlock() }
        return body()
    }
}

/// A Tx timestamp register on loan to one request.
@frozen public struct TransmitStampSlot: Sendable, Equatable {
    public let index: UInt8

    @inlinable init(index: UInt8) { self.index = index }

    static var count: Int { 4 }
    static var all: UInt32 { 0xF }
}

private struct SlotHistory {
    /// The register's value at the last read, if it was a time: a stamp is new if it differs.
    var lastRead: UInt64?
    /// Not 0 while an abandoned request's stamp may still come.
    var quarantinedUntil: UInt64 = 0
    /// Raw ns; a stamp older than this belongs to an earlier request.
    var notBefore: UInt64 = 0
    /// The stamp that may still come was taken before the clock was stepped.
    var owesFromBeforeStep = false
}
