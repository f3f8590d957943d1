// A queue pair for an XSK socket: the program's frames go to the card and come from it without a copy.
//
// Completions leave out of order: a frame that waits for its stamp holds nobody back (facts §8.4 item 1). A request for
// a stamp ends with a stamp or with a word that says why there is none.

import Backing
import Clock
import I225Wire
import Memory
import Netdev
import Registers
import Rings
import XSK

/// A Tx and an Rx queue bound to a socket's pool. One owner thread, which calls `poll` again and again. Its end
/// switches the queues off and gives every frame and chunk back to the program.
@safe public struct XSKQueue<Backing: PCIeBacking>: ~Copyable {
    // SAFETY: `state` is one initialised value that this one owns. On the heap, because a `deinit` cannot change the
    // fields of a struct, and because a queue is handed over: that moves eight bytes instead of a kilobyte.
    private let state: UnsafeMutablePointer<XSKQueueState<Backing>>
    /// Keeps the value from being a bare pointer: Swift 6.3 may skip the `deinit` of a generic struct that is trivial.
    private let hardware: I225Hardware<Backing>

    init(_ initial: consuming XSKQueueState<Backing>) {
        hardware = initial.hardware
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: initial)
    }

    deinit {
        unsafe state.pointee.windDown()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// One round: completions, stamps, frames to send, frames received. Whether there was anything to do.
    public mutating func poll() -> Bool { unsafe state.pointee.poll() }

    /// Frames of the program that are with the driver or the card.
    public var outstandingFrames: Int { unsafe state.pointee.pool.outstandingTransmitFrames }

    /// Requests for stamps that have not ended.
    public var outstandingStamps: Int { unsafe state.pointee.requestMask.nonzeroBitCount }

    /// Readable when the program has kicked.
    public var wakeDescriptor: Int32 { unsafe state.pointee.pool.wakeDescriptor }

    /// Says whether the owner is about to sleep: the program must then kick. Poll once more after `true`.
    public mutating func setSleeping(_ sleeping: Bool) { unsafe state.pointee.setSleeping(sleeping) }

    /// Lets this queue's vector fire again; poll once more afterwards.
    public func rearm() { unsafe state.pointee.rearm() }
}

/// What a queue works on.
struct XSKQueueState<Backing: PCIeBacking>: ~Copyable {
    var transmit: TransmitQueue<Backing>
    var receive: ReceiveQueue<Backing>
    // After the queues have stopped: the card loses the umem, then the pool goes back to its socket.
    let mapping: DMAMapping
    var pool: XSKPool
    let hardware: I225Hardware<Backing>
    let stamps: TransmitStamps<Backing.BAR>
    let configuration: I225Configuration
    /// A request without a register is answered at once, by configuration; false where stamping is off.
    let reportsShortage: Bool
    let umemBase: UInt64

    /// Frames taken from the program and not yet in the ring.
    var burst = XSKTransmitBurst()
    var entries = Burst(repeating: TransmitEntry())
    var buffers = Burst(repeating: NetdevBuffer())
    var frames = Burst(repeating: ReceivedFrame())
    var burstNext = 0
    var burstCount = 0
    /// Requests in flight, by stamp register.
    var requests = InlineArray<4, StampRequest>(repeating: StampRequest())
    var requestMask: UInt32 = 0
    /// Rounds until the requests are settled again: a look at the clock takes as long as a frame.
    var pollsUntilSettled = 0
    /// What tells a flooded queue: frames moved since its last look at the stamp registers, and when that was.
    var framesSinceLook = 0
    var lastLook: UInt64 = 0
    /// Requests without a register, not yet counted on the card.
    var skippedInBurst = 0
    /// The rest of a frame of several buffers is dropped too.
    var isDropping = false

    init(
        transmit: consuming TransmitQueue<Backing>,
        receive: consuming ReceiveQueue<Backing>,
        pool: consuming XSKPool,
        mapping: consuming DMAMapping,
        hardware: I225Hardware<Backing>,
        stamps: TransmitStamps<Backing.BAR>,
        configuration: I225Configuration
    ) {
        umemBase = mapping.iova
        self.transmit = transmit
        self.receive = receive
        self.pool = pool
        self.mapping = mapping
        self.hardware = hardware
        self.stamps = stamps
        self.configuration = configuration
        reportsShortage = configuration.stampsTransmitted && configuration.stampShortage == .report
    }

    mutating func poll() -> Bool {
        let reaped = reap()
        let sent = send()
        let received = receiveFrames()
        if requestMask != 0 {
            let moved = reaped &+ sent
            framesSinceLook &+= moved
            pollsUntilSettled = moved == 0 ? 0 : pollsUntilSettled &- 1
            if pollsUntilSettled <= 0 { settleRequests() }
        }
        pool.publishCompletions()
        return reaped > 0 || sent > 0 || received
    }

    mutating func setSleeping(_ sleeping: Bool) {
        pool.setNeedWakeup(transmit: sleeping)
        pool.setNeedWakeup(fill: sleeping)
        if !sleeping { _ = pool.consumeKick() }
    }

    func rearm() {
        hardware.rearm(1 << UInt32(I225Hardware<Backing>.vector(ofQueue: transmit.index)))
    }

    // MARK: completions

    /// Takes back what the card is done with; how many frames.
    private mutating func reap() -> Int {
        var cookies = InlineArray<32, UInt64>(repeating: 0)
        let count = transmit.ring.reap(&cookies)
        for index in 0..<count {
            let cookie = cookies[index]
            if cookie &>> Self.slotShift == 0 { pool.complete(cookie) } else { markSent(cookie) }
        }
        return count
    }

    // MARK: sending

    /// The top byte of a cookie: 0, or the stamp register plus one. Umem addresses stay far below it.
    static var slotShift: UInt64 { 56 }

    /// Gives the card what the program has to send; how many frames.
    private mutating func send() -> Int {
        // Two descriptors per frame at the most: a context and the data.
        var budget = transmit.ring.room
        guard budget >= 2 else { return 0 }
        if burstNext == burstCount {
            burstCount = pool.peekTransmit(&burst, limit: XSKTransmitBurst.capacity)
            burstNext = 0
            guard burstCount > 0 else { return 0 }
        }
        var staged = 0
        var bytes: UInt64 = 0
        let first = burstNext
        while burstNext < burstCount, budget >= 2 {
            let frame = burst[burstNext]
            var entry = TransmitEntry(iova: umemBase &+ frame.address, cookie: frame.address, length: frame.length)
            if !frame.request.isEmpty {
                if frame.request == .timestamp, reportsShortage, stamps.isShort {
                    reportNoSlot(frame.address)
                } else {
                    guard prepare(frame, &entry, &staged) else { break }
                }
            }
            entries[staged] = entry
            staged &+= 1
            budget &-= frame.request.contains(.checksum) ? 2 : 1
            bytes &+= UInt64(frame.length)
            burstNext &+= 1
        }
        _ = transmit.ring.submit(entries, limit: staged)
        if skippedInBurst > 0 {
            stamps.countSkipped(skippedInBurst)
            skippedInBurst = 0
        }
        let sent = burstNext &- first
        guard sent > 0 else { return 0 }
        transmit.ringTail()
        transmit.statistics.add(packets: sent, bytes: bytes)
        return sent
    }

    /// The fifth request of a flood is as common as a plain frame, and must cost as little.
    private mutating func reportNoSlot(_ address: UInt64) {
        pool.writeStamp(.noSlot, for: address)
        skippedInBurst &+= 1
    }

    /// Turns a frame's requests into descriptor bits; false: the frame must wait for a stamp register.
    @inline(never)
    private mutating func prepare(
        _ frame: XSKTransmitFrame,
        _ entry: inout TransmitEntry,
        _ staged: inout Int
    ) -> Bool {
        var stampBits: UInt64 = 0
        if frame.request.contains(.timestamp) {
            if !configuration.stampsTransmitted {
                pool.writeStamp(.disabled, for: frame.address)
            } else if let slot = stamps.claim() {
                open(slot, for: frame.address)
                stampBits = TransmitDataDescriptor.stampBits(slot: slot.index)
                entry.cookie |= UInt64(slot.index &+ 1) &<< Self.slotShift
            } else if configuration.stampShortage == .wait {
                return false
            } else {
                reportNoSlot(frame.address)
            }
        }
        if frame.request.contains(.checksum) {
            let words = pool.metadataRequest(of: frame)
            let offload = TransmitOffload(
                checksumStart: words.checksumStart,
                checksumOffset: words.checksumOffset
            )
            // A request that points outside its frame gets what the kernel's driver gives every one: nothing.
            if let request = OffloadRequest(offload, frameBytes: frame.length) {
                _ = transmit.ring.submit(entries, limit: staged)
                staged = 0
                transmit.ring.submitContext(low: request.context.low, high: request.context.high)
                entry.high = request.high
            }
        }
        entry.high |= stampBits
        return true
    }

    // MARK: tear-down

    /// Switches the queue off and gives everything back: sent frames as sent, others too, requests as torn down.
    mutating func windDown() {
        transmit.stop()
        receive.stop()
        while reap() > 0 {}
        while let cookie = transmit.ring.takeBack() {
            if cookie >> Self.slotShift == 0 { pool.complete(cookie) } else { markSent(cookie) }
        }
        tearRequestsDown()
        while burstNext < burstCount {
            if burst[burstNext].request.contains(.timestamp) {
                pool.writeStamp(.tornDown, for: burst[burstNext].address)
            }
            pool.complete(burst[burstNext].address)
            burstNext += 1
        }
        pool.publishCompletions()
        while let chunk = receive.ring.takeBack() { pool.recycle(chunk) }
        pool.publishReceived()
    }
}
