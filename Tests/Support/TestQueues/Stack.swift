// A network stack in a few lines: a queue pair and its buffers, worked by hand.

import Backing
import Memory
import Netdev
import Rings

public typealias Offload = Netdev.TransmitOffload

/// A queue pair and buffers that the card can reach.
public struct Stack<Queue: NetdevQueue & ~Copyable>: ~Copyable {
    // Ends in this order: the card stops before the memory that it writes to goes.
    public var pair: Queue
    public var buffers: BufferPool
    /// Whether the card gets a buffer for each that it filled.
    private let refills: Bool

    public init(
        _ pair: consuming Queue,
        on backing: some PCIeBacking,
        buffers count: Int = 64,
        bufferBytes: Int = 2048,
        refills: Bool = false
    ) throws {
        let memory = try backing.allocateDMA(byteCount: count * bufferBytes, .both, purpose: "test-buffers")
        buffers = BufferPool(memory: memory, bufferBytes: bufferBytes)
        self.pair = pair
        self.refills = refills
    }

    /// Lends the card `count` buffers to receive into.
    public mutating func provide(_ count: Int) {
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
    public mutating func send(_ frame: [UInt8], _ offload: Offload = Offload(), length: UInt32? = nil) -> Bool {
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
    public mutating func reap() -> Int {
        var cookies = InlineArray<32, UInt64>(repeating: 0)
        var total = 0
        while true {
            let count = pair.reap(&cookies)
            guard count > 0 else { return total }
            total += count
            for index in 0..<count { buffers.giveBack(cookies[index]) }
        }
    }

    /// The parts of frames that have come. Their buffers are free again, or the card's, if the stack refills.
    public mutating func receive() -> [(bytes: [UInt8], frame: ReceivedFrame)] {
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
            if refills { provide(count) }
        }
    }
}
