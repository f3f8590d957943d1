// The way out of the device, behind all queues: padding, the time of each frame on the wire, counts, stamps, capture.

import Ethernet
import I225Wire
import Registers

@safe struct TransmitMAC: ~Copyable {
    // SAFETY: `reserve` lends room in the wire's ring until `finish`; all writes stay inside what was asked for.
    private var wire: FrameProducer
    var stamps: TransmitStamps
    private(set) var tally = FrameTally()
    private(set) var frames: UInt64 = 0

    // As the registers say; they change between bursts only.
    var isEnabled = false
    var padsShortFrames = false
    var longestFrame = I225.longestFrameBytes
    var vlanType: UInt16 = 0x8100
    private(set) var transmitLatency: UInt64 = 0

    // As the burst says.
    private(set) var now: UInt64 = 0
    private var lastWireTime: UInt64 = 0
    private var isCapturing = false

    init(_ wire: consuming FrameProducer, options: I225Options) {
        self.wire = wire
        self.stamps = TransmitStamps(options)
    }

    mutating func begin(now: UInt64, speed: LinkSpeed, isCapturing: Bool) {
        self.now = now
        self.isCapturing = isCapturing
        transmitLatency = speed.transmitLatency
    }

    /// Hands over what the burst committed.
    mutating func end() { wire.publish() }

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
    mutating func finish(
        _ room: UnsafeMutableRawPointer,
        length: Int,
        queue: Int,
        time: borrowing TimeSync,
        capture: inout CaptureTap
    ) -> UInt64 {
        let wireTime = max(now, lastWireTime &+ 2)
        lastWireTime = wireTime
        // SAFETY: a frame has 14 bytes at least.
        unsafe tally.add(length: length, destination: room.loadUnaligned(as: UInt64.self))
        frames &+= 1
        if isCapturing {
            let nanoseconds = time.timer0.nanoseconds(at: wireTime)
            unsafe capture.add(
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
    mutating func stamp(
        _ command: TransmitCommand,
        _ options: TransmitOptions,
        wireTime: UInt64,
        time: borrowing TimeSync
    ) {
        let timer = options[.stampWithFreeTimer] ? time.timer1 : time.timer0
        let wire = timer.nanoseconds(at: wireTime)
        // Software adds the latency again.
        let raw = wire > transmitLatency ? wire &- transmitLatency : 0
        stamps.take(DeviceTime(totalNanoseconds: raw), in: Int(command[.stampSlot]), now: now)
    }

    mutating func moveTally(to registers: inout RegisterFile) { tally.moveTransmitted(to: &registers) }
}
