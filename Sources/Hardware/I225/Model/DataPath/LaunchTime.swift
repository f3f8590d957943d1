// When a frame may leave a queue that sends by launch time: an offset into the schedule's cycle, which a context
// descriptor gives. The queue is first in, first out: a frame that waits holds those behind it.
// Source: Linux igc_main.c (igc_tx_launchtime), igc_tsn.c of 6.12 and 7.x.

import I225Wire

struct LaunchTime {
    // As the registers say.
    /// TQAVCTRL.TRANSMIT_MODE_TSN and TXQCTL.QUEUE_MODE_LAUNCHT.
    var isOn = false
    /// BASET, nanoseconds of timer 0.
    var base: UInt64 = 0
    /// QBVCYCLET, nanoseconds.
    var cycle: UInt64 = 0
    /// GTXOFFSET, nanoseconds.
    var lead: UInt64 = 0

    /// What the last context asked for, until a frame has used it.
    private var offset: UInt64?
    private var isNextCycle = false
    /// The device time that `offset` came to when it was first looked at.
    private var target: UInt64?
    /// The host time at which it is worth to look again.
    private(set) var nextLook: UInt64?

    mutating func arm(_ context: TransmitContextDescriptor) {
        forget()
        guard isOn, context.launchTime != 0 || context.isFirst else { return }
        offset = UInt64(context.launchTime)
        isNextCycle = context.isFirst
    }

    mutating func forget() {
        offset = nil
        target = nil
        nextLook = nil
    }

    /// Whether the frame at the head may go now.
    mutating func isDue(_ timer: HardwareTimer, now: UInt64) -> Bool {
        guard let offset else { return true }
        let current = timer.nanoseconds(at: now)
        let launch = target ?? deviceTime(offset, current)
        target = launch
        guard current &+ lead < launch else { return true }
        nextLook = timer.hostTime(approaching: launch - lead, now: now)
        return false
    }

    private func deviceTime(_ offset: UInt64, _ current: UInt64) -> UInt64 {
        guard cycle > 0 else { return base &+ offset }
        let cycles = current > base ? (current - base) / cycle : 0
        return base &+ (cycles &+ (isNextCycle ? 1 : 0)) &* cycle &+ offset
    }
}
