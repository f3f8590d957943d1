// The stack's stand-in: passes frames between a wire (a TAP device on the host side) and a driver's queue pair, through
// buffers that the device can reach.

import Clock
import Ethernet
import Memory
import Rings

/// Moves frames between a port and a queue pair. It owns both, and the buffers.
public final class NetdevPump<Queue: NetdevQueue & ~Copyable>: Pollable {
    /// What could not be passed on.
    public struct Counters: Sendable, Equatable {
        /// Frames from the device that were damaged, or longer than a wire carries.
        public var receiveErrors: UInt64 = 0
        /// Frames from the device that found the wire full.
        public var receiveDropped: UInt64 = 0
        /// Frames from the wire that are longer than a buffer.
        public var transmitTooLong: UInt64 = 0
        /// Frames from the wire without a byte: no queue takes one.
        public var transmitEmpty: UInt64 = 0
        public var transmitted: UInt64 = 0
        public var received: UInt64 = 0
    }

    public private(set) var counters = Counters()
    // Ends in this order: the device stops before the memory that it writes to goes.
    private var queue: Queue
    private var buffers: BufferPool
    private var port: WirePort
    private let clock: DeviceClock
    private var frames = Burst(repeating: ReceivedFrame())
    /// Bytes of the frame in reassembly that lie in the port's reserved room; nil between frames.
    private var reassembly: Reassembly?

    /// A frame whose parts are still coming.
    ///
    /// SAFETY: `room` is the port's reserved room for a frame of the greatest length; nothing else reserves meanwhile.
    @safe private struct Reassembly {
        var length = 0
        var isGood = true
        var room: UnsafeMutableRawPointer?
    }

    /// - Parameters:
    ///   - buffers: half of them wait for frames to receive, half carry frames to send.
    public init(queue: consuming Queue, port: consuming WirePort, buffers: consuming BufferPool, clock: DeviceClock) {
        self.queue = queue
        self.port = port
        self.buffers = buffers
        self.clock = clock
        let half = self.buffers.count / 2
        for _ in 0..<half { provideOne() }
        self.queue.ring()
    }

    public var wakeDescriptors: [Int32] {
        [port.receive.wakeDescriptor] + (queue.eventDescriptor.map { [$0] } ?? [])
    }

    public func setSleeping(_ sleeping: Bool) {
        port.receive.setSleeping(sleeping)
        if sleeping { queue.arm() }
    }

    public func poll() -> Bool {
        var worked = reapSent()
        if transmit() { worked = true }
        if receive() { worked = true }
        return worked
    }

    private func reapSent() -> Bool {
        var cookies = InlineArray<32, UInt64>(repeating: 0)
        let count = queue.reap(&cookies)
        for index in 0..<count { buffers.giveBack(cookies[index]) }
        return count > 0
    }

    private func transmit() -> Bool {
        var sent = 0
        while sent < netdevBurst, let frame = unsafe port.receive.peek() {
            guard unsafe frame.length <= buffers.bufferBytes else {
                counters.transmitTooLong += 1
                unsafe port.receive.consume(frame)
                continue
            }
            // A queue refuses it for ever, and it would hold all behind it.
            guard unsafe frame.length > 0 else {
                counters.transmitEmpty += 1
                unsafe port.receive.consume(frame)
                continue
            }
            guard let number = buffers.take() else { break }
            unsafe buffers.address(number).copyMemory(from: frame.bytes, byteCount: frame.length)
            let buffer = unsafe NetdevBuffer(
                iova: buffers.iova(number),
                cookie: number,
                length: UInt32(truncatingIfNeeded: frame.length)
            )
            guard queue.submit(buffer, TransmitOffload()) else {
                buffers.giveBack(number)
                break
            }
            unsafe port.receive.consume(frame)
            sent += 1
        }
        port.receive.release()
        if sent > 0 { queue.ring() }
        counters.transmitted += UInt64(sent)
        return sent > 0
    }

    private func receive() -> Bool {
        let count = queue.receive(&frames)
        guard count > 0 else { return false }
        let now = clock.now
        for index in 0..<count {
            append(frames[index])
            if !frames[index].continues { finishFrame(at: now) }
            buffers.giveBack(frames[index].cookie)
            provideOne()
        }
        port.transmit.publish()
        queue.ring()
        return true
    }

    private func append(_ part: ReceivedFrame) {
        if reassembly == nil {
            reassembly = Reassembly()
            unsafe reassembly?.room = port.transmit.reserve(maximumFrameBytes)
        }
        guard var frame = reassembly else { return }
        let skipped = part.hasTimestamp ? 16 : 0
        let length = Int(part.length) - skipped
        // The device's words: a length beyond the buffer or the frame limit is believed no more than any other.
        if part.isDamaged || length < 0 || Int(part.length) > buffers.bufferBytes
            || frame.length + length > maximumFrameBytes
        {
            frame.isGood = false
        } else if let room = unsafe frame.room {
            unsafe (room + frame.length).copyMemory(
                from: buffers.address(part.cookie) + skipped,
                byteCount: length
            )
            frame.length += length
        }
        reassembly = frame
    }

    private func finishFrame(at now: UInt64) {
        guard let frame = reassembly else { return }
        reassembly = nil
        guard frame.isGood else {
            counters.receiveErrors += 1
            return
        }
        guard unsafe frame.room != nil else {
            counters.receiveDropped += 1
            return
        }
        port.transmit.commit(frame.length, wireTime: now)
        counters.received += 1
    }

    private func provideOne() {
        guard let number = buffers.take() else { return }
        let iova = buffers.iova(number)
        guard queue.provide(NetdevBuffer(iova: iova, cookie: number, length: 0)) else {
            buffers.giveBack(number)
            return
        }
    }
}
