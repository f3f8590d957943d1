// The requests for Tx stamps of one queue: from the frame that asks to the word that answers.

import Backing
import Clock
import I225Wire
import XSK

/// A frame in flight that asked for a stamp.
struct StampRequest {
    var address: UInt64 = 0
    var deadline: UInt64 = 0
    /// The card is done with the frame's memory.
    var isSent = false
}

extension XSKQueueState {
    /// Begins a request. Its deadline counts from here.
    mutating func open(_ slot: TransmitStampSlot, for address: UInt64) {
        let index = Int(slot.index)
        requests[index] = StampRequest(
            address: address,
            deadline: hardware.clock.now &+ configuration.stampDeadlineNanoseconds,
            isSent: false
        )
        requestMask |= 1 << UInt32(index)
    }

    /// The card is done with a frame that asked for a stamp: from now on only the stamp is missing.
    mutating func markSent(_ cookie: UInt64) {
        let index = Int(truncatingIfNeeded: cookie >> Self.slotShift) - 1
        guard index >= 0, index < 4 else { return }
        requests[index].isSent = true
    }

    /// Ends the requests whose stamp has come or whose deadline has passed.
    ///
    /// A request whose frame is still with the card cannot end: its memory is not the program's yet, and its register
    /// will be written when it goes out.
    @inline(never)
    mutating func settleRequests() {
        let now = hardware.clock.now
        // More than a frame per microsecond. A queue whose next frame waits for a register has nothing better to do
        // than to look for one.
        let isFlooded =
            framesSinceLook >= 64 && UInt64(framesSinceLook) &* 1_000 > now &- lastLook && burstNext == burstCount
        pollsUntilSettled = isFlooded ? 8 : 0
        if stamps.collect(now: now, isFlooded: isFlooded) {
            lastLook = now
            framesSinceLook = 0
        }
        for index in 0..<4 where requestMask & (1 << UInt32(index)) != 0 && requests[index].isSent {
            let slot = TransmitStampSlot(index: UInt8(index))
            if let nanoseconds = stamps.take(slot) {
                finish(index, .stamped(nanoseconds: nanoseconds))
            } else if now >= requests[index].deadline {
                let late = stamps.abandon(slot, countsAsTimeout: true)
                finish(index, late.map { .stamped(nanoseconds: $0) } ?? .timedOut)
            }
        }
    }

    /// Ends every request, for a queue that has been switched off. Registers that still owe a stamp are quarantined.
    mutating func tearRequestsDown() {
        for index in 0..<4 where requestMask & (1 << UInt32(index)) != 0 {
            let slot = TransmitStampSlot(index: UInt8(index))
            let stamp = stamps.take(slot) ?? stamps.abandon(slot, countsAsTimeout: false)
            finish(index, stamp.map { .stamped(nanoseconds: $0) } ?? .tornDown)
        }
    }

    private mutating func finish(_ index: Int, _ outcome: TransmitStampOutcome) {
        requestMask &= ~(1 << UInt32(index))
        pool.writeStamp(outcome, for: requests[index].address)
        pool.complete(requests[index].address)
    }
}
