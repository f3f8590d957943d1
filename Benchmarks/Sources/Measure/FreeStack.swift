// The buffers that a benchmark's program has to give out.

/// Numbers of the buffers that are nobody's, the last one given back on top.
@safe @frozen public struct FreeStack: ~Copyable {
    // SAFETY (whole type): no number is pushed that was not popped, so `count` stays within `capacity`.
    @usableFromInline let numbers: UnsafeMutablePointer<UInt32>
    @usableFromInline var storedCount: Int

    @inlinable public var count: Int { storedCount }

    public init(full capacity: Int) {
        storedCount = capacity
        unsafe numbers = .allocate(capacity: capacity)
        for number in 0..<capacity { unsafe (numbers + number).initialize(to: UInt32(number)) }
    }

    deinit { unsafe numbers.deallocate() }

    @inlinable public mutating func push(_ number: UInt64) {
        unsafe numbers[storedCount] = UInt32(truncatingIfNeeded: number)
        storedCount &+= 1
    }

    @inlinable public mutating func pop() -> UInt64 {
        storedCount &-= 1
        return UInt64(unsafe numbers[storedCount])
    }
}
