// Between a TAP device of Linux and a wire: real programs (ping, iperf3) on one side, a virtual device on the other.
// Source of truth for the errors: tun_chr_read_iter and tun_get_user in drivers/net/tun.c, Linux 6.12.

import Clock
import Glibc

/// What went between a TAP device and its wire. "In" is from Linux to the wire.
public struct TAPCounters: Sendable, Equatable {
    public var framesIn: UInt64 = 0
    public var bytesIn: UInt64 = 0
    public var framesOut: UInt64 = 0
    public var bytesOut: UInt64 = 0
    /// Frames from Linux that are too long for a wire; lost.
    public var tooLong: UInt64 = 0
    /// Frames from Linux without a whole Ethernet header; lost.
    public var runts: UInt64 = 0
    /// Looks at the TAP device that were put off because the wire was full. Nothing is lost: Linux keeps the frames.
    public var wireFull: UInt64 = 0
    /// Frames to Linux that were lost because the interface is down or deleted.
    public var interfaceDown: UInt64 = 0
    /// Frames to Linux that were lost because it had no room for them.
    public var noRoom: UInt64 = 0
    /// Frames to Linux that it refused: those without a whole Ethernet header.
    public var refused: UInt64 = 0
    /// Reads that failed for another reason than that there was no frame.
    public var readErrors: UInt64 = 0

    public init() {}
}

/// Carries frames between a TAP device and a wire. Belongs to the thread that polls it.
///
/// A frame is read into the wire's own memory and written from it; TCP segments that belong together are written as one,
/// where the device was opened for that. Whatever Linux does to the interface meanwhile is
/// counted, and the wire goes on.
public final class TAPWire: Pollable {
    private let device: TAPDevice
    private var port: WirePort
    private let clock: DeviceClock
    private var train = SegmentTrain()
    public private(set) var counters = TAPCounters()
    /// Whether somebody deleted the interface.
    public private(set) var isDeleted = false

    /// Frames each way before it is the other way's turn.
    private static let burst = 64

    public init(_ device: consuming TAPDevice, port: consuming WirePort, clock: DeviceClock) {
        self.device = device
        self.port = port
        self.clock = clock
    }

    public var name: String { device.name }

    public func poll() -> Bool {
        let received = isDeleted ? 0 : readBurst(into: &port.transmit)
        let sent = writeBurst(from: &port.receive)
        return received + sent > 0
    }

    /// A full wire leaves the TAP device readable, so its owner does not sleep until the wire has room.
    public var wakeDescriptors: [Int32] {
        // poll(2) would report the error of a deleted interface for ever.
        (isDeleted ? [] : [device.fileDescriptor]) + [port.receive.wakeDescriptor]
    }

    public func setSleeping(_ sleeping: Bool) { port.receive.setSleeping(sleeping) }

    /// Linux to the wire; the number of frames that were looked at.
    private func readBurst(into wire: inout FrameProducer) -> Int {
        var counters = self.counters
        defer { self.counters = counters }
        var frames = 0
        while frames < Self.burst {
            // SAFETY: what is read fits the room, which is ours until `commit`.
            guard let room = unsafe wire.reserve(maximumFrameBytes) else {
                counters.wireFull &+= 1
                break
            }
            let length = unsafe device.read(into: room, maximumFrameBytes)
            guard length >= 0 else {
                let code = errno
                if code == EBADFD {
                    isDeleted = true
                } else if code != EAGAIN && code != EINTR {
                    counters.readErrors &+= 1
                }
                break
            }
            frames &+= 1
            // The driver cuts what is longer than the room and does not say so: a frame that fills it may be a part.
            if length == maximumFrameBytes {
                counters.tooLong &+= 1
            } else if length < 14 {
                counters.runts &+= 1
            } else {
                // One look at the clock per frame: next to a system call it costs nothing.
                wire.commit(length, wireTime: clock.now)
                counters.framesIn &+= 1
                counters.bytesIn &+= UInt64(truncatingIfNeeded: length)
            }
        }
        wire.publish()
        return frames
    }

    /// The wire to Linux; the number of frames that left the wire.
    private func writeBurst(from wire: inout FrameConsumer) -> Int {
        var frames = 0
        // SAFETY: the frame is ours until `release`.
        while frames < Self.burst, let frame = unsafe wire.peek() {
            if device.takesTrains {
                guard unsafe !train.append(frame) else {
                    unsafe wire.consume(frame)
                    frames &+= 1
                    continue
                }
                // It may begin the next one.
                if !train.isEmpty {
                    writeTrain()
                    continue
                }
            }
            let isWritten = unsafe device.write(frame.bytes, frame.length)
            count(frames: 1, bytes: unsafe frame.length, isWritten: isWritten)
            unsafe wire.consume(frame)
            frames &+= 1
        }
        if !train.isEmpty { writeTrain() }
        wire.release()
        return frames
    }

    private func writeTrain() {
        let frames = train.segmentCount
        let bytes = train.byteCount
        count(frames: frames, bytes: bytes, isWritten: train.write(to: device.fileDescriptor))
    }

    private func count(frames: Int, bytes: Int, isWritten: Bool) {
        let frames = UInt64(truncatingIfNeeded: frames)
        guard !isWritten else {
            counters.framesOut &+= frames
            counters.bytesOut &+= UInt64(truncatingIfNeeded: bytes)
            return
        }
        // A TAP device has no line to wait in: a frame that it does not take now is lost, as on a real cable.
        switch errno {
        case EIO, EBADFD: counters.interfaceDown &+= frames
        case EAGAIN, ENOBUFS, ENOMEM: counters.noRoom &+= frames
        default: counters.refused &+= frames
        }
    }
}
