// A queue pair for a network stack: the Netdev contract on the card's rings.

import Backing
import I225Wire
import Interrupts
import Netdev
import Rings

/// A Tx and an Rx queue of one number. One owner thread.
public struct I225QueuePair<Backing: PCIeBacking>: NetdevQueue, ~Copyable {
    private var transmit: TransmitQueue<Backing>
    private var receive: ReceiveQueue<Backing>
    private var vector: VectorLease?
    private let hardware: I225Hardware<Backing>
    private var entries = Burst(repeating: TransmitEntry())
    private var buffers = Burst(repeating: NetdevBuffer())

    package init(
        transmit: consuming TransmitQueue<Backing>,
        receive: consuming ReceiveQueue<Backing>,
        vector: consuming VectorLease?,
        hardware: I225Hardware<Backing>
    ) {
        self.transmit = transmit
        self.receive = receive
        self.vector = vector
        self.hardware = hardware
    }

    public mutating func submit(_ buffer: NetdevBuffer, _ offload: TransmitOffload) -> Bool {
        guard buffer.length > 0, buffer.length <= UInt32(I225.longestFrameBytes) || offload.segmentSize > 0 else {
            return false
        }
        let isPlain = offload == TransmitOffload()
        guard transmit.ring.room >= (isPlain ? 1 : 2) else { return false }
        var high = TransmitDataDescriptor.wholeFrame(length: buffer.length)
        if !isPlain {
            guard let request = OffloadRequest(offload, frameBytes: buffer.length) else { return false }
            transmit.ring.submitContext(low: request.context.low, high: request.context.high)
            high = request.high
        }
        entries[0] = TransmitEntry(iova: buffer.iova, cookie: buffer.cookie, length: 0)
        entries[0].high = high
        let submitted = transmit.ring.submit(entries, limit: 1) == 1
        transmit.statistics.add(packets: 1, bytes: UInt64(buffer.length))
        return submitted
    }

    public mutating func ring() {
        transmit.ringTail()
        receive.ringTail()
    }

    public mutating func reap(_ cookies: inout InlineArray<32, UInt64>) -> Int {
        transmit.ring.reap(&cookies)
    }

    public mutating func provide(_ buffer: NetdevBuffer) -> Bool {
        buffers[0] = buffer
        return receive.ring.provide(buffers, limit: 1) == 1
    }

    public mutating func receive(_ frames: inout Burst<ReceivedFrame>) -> Int {
        let count = receive.ring.reap(&frames)
        guard count > 0 else { return 0 }
        var bytes: UInt64 = 0
        for index in 0..<count { bytes &+= UInt64(frames[index].length) }
        receive.statistics.add(packets: count, bytes: bytes)
        return count
    }

    public var eventDescriptor: Int32? {
        switch vector {
        case .some(let vector): vector.eventDescriptor()
        case .none: nil
        }
    }

    public mutating func arm() {
        guard vector?.consume() != nil else { return }
        hardware.rearm(1 << UInt32(I225Hardware<Backing>.vector(ofQueue: transmit.index)))
    }
}
