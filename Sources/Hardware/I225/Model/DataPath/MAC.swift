// Between the queues and the wire, on the way out: padding, the time of each frame on the wire, counts, stamps. The tap
// is here too, for both ways.

import Ethernet
import I225Wire
import Registers

@safe struct MAC: ~Copyable {
    // SAFETY: `reserve` lends room in the wire's ring until `finish`; all writes stay inside what was asked for. The
    // scratch is allocated by init with `scratchBytes`, freed by deinit, and used within one burst.
    private var wire: FrameProducer
    var stamps: TransmitStamps
    var tap = CaptureTap()
    private(set) var tally = FrameTally()
    private(set) var frames: UInt64 = 0

    // As the registers say; they change between bursts only.
    var isEnabled = false
    var padsShortFrames = false
    var longestFrame = I225.longestFrameBytes
    var vlanType: UInt16 = 0x8100

    // As the burst says.
    private(set) var now: UInt64 = 0
    private(set) var timer0: HardwareTimer
    private var timer1: HardwareTimer
    private var latency: UInt64 = 0
    private var lastWireTime: UInt64 = 0
    private var isCapturing = false

    /// Where a frame lies while it is segmented: 64 KB of payload and the longest headers that a context can name.
    let scratch: UnsafeMutableRawPointer
    static var scratchBytes: Int { 65536 + 127 + 511 + 255 }

    init(_ wire: consuming FrameProducer, _ options: I225Options) {
        self.wire = wire
        stamps = TransmitStamps(options)
        timer0 = HardwareTimer(now: 0, isStopped: true)
        timer1 = timer0
        unsafe scratch = .allocate(byteCount: Self.scratchBytes, alignment: 64)
    }

    deinit { unsafe scratch.deallocate() }

    mutating func begin(now: UInt64, speed: LinkSpeed, time: borrowing TimeSync) {
        self.now = now
        timer0 = time.timer0
        timer1 = time.timer1
        latency = speed.transmitLatency
        isCapturing = tap.isOpen
    }

    /// Hands over what the burst committed.
    mutating func end() {
        wire.publish()
        tap.publish()
    }

    /// The bytes that a frame of `length` has on the wire, without CRC.
    func paddedLength(_ length: Int) -> Int {
        padsShortFrames && length < I225.shortestFrameBytes ? I225.shortestFrameBytes : length
    }

    /// Room for a frame; nil while the wire is full.
    ///
    /// SAFETY: good for `length` bytes until `finish`.
    @unsafe mutating func reserve(_ length: Int) -> UnsafeMutableRawPointer? {
        unsafe wire.reserve(length)
    }

    /// The frame in `room` is complete and goes out; the host time at which it does.
    ///
    /// Two frames are never on the wire in the same nanosecond of any timer (I225 contract, section 6.4): 2 ns apart at
    /// a rate of at least 1 - 6.25 %.
    @inline(__always)
    mutating func finish(_ room: UnsafeMutableRawPointer, length: Int, queue: Int) -> UInt64 {
        let wireTime = max(now, lastWireTime &+ 2)
        lastWireTime = wireTime
        // SAFETY: a frame has 14 bytes at least.
        unsafe tally.add(length: length, destination: room.loadUnaligned(as: UInt64.self))
        frames &+= 1
        if isCapturing {
            let nanoseconds = timer0.nanoseconds(at: wireTime)
            unsafe tap.add(
                room,
                length: length,
                deviceNanoseconds: nanoseconds,
                direction: .transmitted,
                queue: queue
            )
        }
        wire.commit(length, wireTime: wireTime, tag: UInt32(truncatingIfNeeded: queue))
        return wireTime
    }

    /// The frame that went out at `wireTime` asked for a stamp.
    mutating func stamp(_ command: TransmitCommand, _ options: TransmitOptions, wireTime: UInt64) {
        let timer = options[.stampWithFreeTimer] ? timer1 : timer0
        let wire = timer.nanoseconds(at: wireTime)
        // Software adds the latency again.
        let raw = wire > latency ? wire &- latency : 0
        stamps.take(DeviceTime(totalNanoseconds: raw), in: Int(command[.stampSlot]), now: now)
    }

    mutating func moveTally(to registers: inout RegisterFile) { tally.moveTransmitted(to: &registers) }
}
