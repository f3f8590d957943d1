// Packet buffers cut from one DMA lease, lent by number.

import Memory

/// Equal buffers in memory that a device may reach; free ones wait on a stack. One owner thread.
@safe public struct BufferPool: ~Copyable {
    public let bufferBytes: Int
    public let count: Int
    private let memory: DMABuffer
    private let free: UnsafeMutablePointer<UInt32>
    private let isFree: UnsafeMutablePointer<Bool>
    public private(set) var freeCount: Int

    // SAFETY: `free` and `isFree` hold `count` elements each and live as long as the pool; every number is checked
    // against `count` before it is used.

    /// - Parameter bufferBytes: bytes per buffer, a divisor of the memory's size or less than it.
    public init(memory: consuming DMABuffer, bufferBytes: Int) {
        precondition(bufferBytes > 0 && bufferBytes <= memory.byteCount, "buffer size")
        self.bufferBytes = bufferBytes
        let count = memory.byteCount / bufferBytes
        self.count = count
        self.memory = memory
        unsafe free = .allocate(capacity: count)
        unsafe isFree = .allocate(capacity: count)
        for number in 0..<count {
            unsafe (free + number).initialize(to: UInt32(number))
            unsafe (isFree + number).initialize(to: true)
        }
        freeCount = count
    }

    deinit {
        unsafe free.deallocate()
        unsafe isFree.deallocate()
    }

    /// A free buffer's number, or nil.
    public mutating func take() -> UInt64? {
        guard freeCount > 0 else { return nil }
        freeCount -= 1
        let number = unsafe free[freeCount]
        unsafe isFree[Int(number)] = false
        return UInt64(number)
    }

    /// Takes a number back. One that is not out (a driver's or device's error) is ignored.
    public mutating func giveBack(_ number: UInt64) {
        guard number < UInt64(count), unsafe !isFree[Int(number)] else { return }
        unsafe isFree[Int(number)] = true
        unsafe free[freeCount] = UInt32(number)
        freeCount += 1
    }

    /// Where the device sees the buffer.
    public func iova(_ number: UInt64) -> UInt64 {
        precondition(number < UInt64(count), "buffer number out of range")
        return memory.iova + number * UInt64(bufferBytes)
    }

    /// Where this process sees it.
    ///
    /// SAFETY: good for `bufferBytes` while the pool lives.
    @unsafe public func address(_ number: UInt64) -> UnsafeMutableRawPointer {
        precondition(number < UInt64(count), "buffer number out of range")
        return unsafe memory.base + Int(number) * bufferBytes
    }
}
