// A network stack in a few lines: a queue pair and its buffers, worked by hand.

import Backing
import MANADriver
import MANAModel
import Memory
import Netdev
import Rings

typealias Offload = Netdev.TransmitOffload

/// A queue pair and buffers that the card can reach.
struct Stack<Backing: PCIeBacking>: ~Copyable {
    // Ends in this order: the card stops before the memory that it writes to goes.
    var pair: MANAQueuePair<Backing>
    var buffers: BufferPool

    init(
        _ pair: consuming MANAQueuePair<Backing>,
        on backing: Backing,
        buffers count: Int = 256,
        bufferBytes: Int = 2048
    ) throws {
        let memory = try backing.allocateDMA(byteCount: count * bufferBytes, .both, purpose: "test-buffers")
        buffers = BufferPool(memory: memory, bufferBytes: bufferBytes)
        self.pair = pair
    }

    /// Lends the card `count` buffers to receive into.
    mutating func provide(_ count: Int) {
        for _ in 0..<count {
            guard let number = buffers.take() else { break }
            guard pair.provide(NetdevBuffer(iova: buffers.iova(number), cookie: number, length: 0)) else {
                buffers.giveBack(number)
                break
            }
        }
        pair.ring()
    }

    /// Sends a frame; false if the queue refuses it. `length` is what the queue is told, where that is not the truth.
    mutating func send(_ frame: [UInt8], _ offload: Offload = Offload(), length: UInt32? = nil) -> Bool {
        guard let number = buffers.take() else { return false }
        precondition(frame.count <= buffers.bufferBytes, "the test's frame is longer than its buffers")
        // SAFETY: the buffer has `bufferBytes`, and nobody else has it.
        unsafe frame.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress {
                unsafe buffers.address(number).copyMemory(from: start, byteCount: bytes.count)
            }
        }
        let buffer = NetdevBuffer(iova: buffers.iova(number), cookie: number, length: length ?? UInt32(frame.count))
        let submitted = pair.submit(buffer, offload)
        if !submitted { buffers.giveBack(number) }
        pair.ring()
        return submitted
    }

    /// Takes back the buffers of sent frames; how many.
    mutating func reap() -> Int {
        var cookies = InlineArray<32, UInt64>(repeating: 0)
        var total = 0
        while true {
            let count = pair.reap(&cookies)
            guard count > 0 else { return total }
            total += count
            for index in 0..<count { buffers.giveBack(cookies[index]) }
        }
    }

    /// The frames that have come. Their buffers are the card's again.
    mutating func receive() -> [(bytes: [UInt8], frame: ReceivedFrame)] {
        var all: [([UInt8], ReceivedFrame)] = []
        var frames = Burst(repeating: ReceivedFrame())
        while true {
            let count = pair.receive(&frames)
            guard count > 0 else { return all }
            for index in 0..<count {
                let frame = frames[index]
                let length = min(Int(frame.length), buffers.bufferBytes)
                // SAFETY: the buffer has `bufferBytes` and is ours again.
                let bytes = unsafe [UInt8](
                    UnsafeRawBufferPointer(start: buffers.address(frame.cookie), count: length)
                )
                buffers.giveBack(frame.cookie)
                all.append((bytes, frame))
            }
            provide(count)
        }
    }
}

extension Rig {
    /// A stack on queue pair `index` of `port`, with half of its buffers lent to receive into.
    func stack(
        _ port: borrowing MANAPort<Card>,
        _ index: Int = 0,
        entries: Int = 128,
        bufferBytes: Int = 2048
    ) throws -> Stack<Card> {
        var stack = try Stack(
            port.openQueuePair(index, entries: entries, bufferBytes: bufferBytes),
            on: backing,
            bufferBytes: bufferBytes
        )
        stack.provide(128)
        return stack
    }
}

/// The value of a counter by Linux's name.
func value(_ name: String, _ statistics: [NetdevStatistic]) -> UInt64? { statistics.first { $0.name == name }?.value }
