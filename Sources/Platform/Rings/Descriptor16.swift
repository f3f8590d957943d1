// A 16-byte descriptor as the device and the driver both see it: two little-endian 64-bit words that either side may
// change at any time. Atomics, because a plain load of memory that a device writes may be hoisted out of a loop.

import Synchronization

/// Two 64-bit words of a ring in shared memory; 16 bytes, no padding.
@frozen public struct Descriptor16: ~Copyable {
    public let low: Atomic<UInt64>
    public let high: Atomic<UInt64>
}

/// A ring of 16-byte descriptors over memory that somebody else keeps.
@safe @frozen public struct DescriptorRing16: @unchecked Sendable {
    // SAFETY (Sendable): atomics; one owner thread by the rule of the data plane.
    @usableFromInline let descriptors: UnsafeMutablePointer<Descriptor16>
    /// A power of two or not: wrapping is by comparison where the hardware allows any multiple of 8.
    public let count: Int

    /// SAFETY: `base` holds `count` descriptors, is 16-byte aligned and outlives the ring.
    @unsafe @inlinable public init(base: UnsafeMutableRawPointer, count: Int) {
        precondition(count > 0, "a ring has at least one descriptor")
        unsafe self.descriptors = base.assumingMemoryBound(to: Descriptor16.self)
        self.count = count
    }

    @inlinable public func loadLow(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "descriptor index out of range")
        return unsafe descriptors[index].low.load(ordering: .relaxed)
    }

    /// The high word, and with it everything that the other side wrote before it.
    @inlinable public func loadHigh(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "descriptor index out of range")
        return unsafe descriptors[index].high.load(ordering: .acquiring)
    }

    @inlinable public func storeLow(_ index: Int, _ value: UInt64) {
        precondition(index >= 0 && index < count, "descriptor index out of range")
        unsafe descriptors[index].low.store(value, ordering: .relaxed)
    }

    /// Publishes the high word after everything written before it: the word that changes the owner.
    @inlinable public func storeHigh(_ index: Int, _ value: UInt64) {
        precondition(index >= 0 && index < count, "descriptor index out of range")
        unsafe descriptors[index].high.store(value, ordering: .releasing)
    }

    // The hot loops keep their index below `count` by construction and say so; a check per access costs them a fifth of
    // their time.

    /// SAFETY: `0 <= index < count`.
    @unsafe @inlinable public func loadLowUnchecked(_ index: Int) -> UInt64 {
        unsafe descriptors[index].low.load(ordering: .relaxed)
    }

    /// SAFETY: `0 <= index < count`.
    @unsafe @inlinable public func loadHighUnchecked(_ index: Int) -> UInt64 {
        unsafe descriptors[index].high.load(ordering: .acquiring)
    }

    /// SAFETY: `0 <= index < count`.
    @unsafe @inlinable public func storeHighUnchecked(_ index: Int, _ value: UInt64) {
        unsafe descriptors[index].high.store(value, ordering: .releasing)
    }

    /// SAFETY: `0 <= index < count`.
    @unsafe @inlinable public func storeUnchecked(_ index: Int, low: UInt64, high: UInt64) {
        unsafe descriptors[index].low.store(low, ordering: .relaxed)
        unsafe descriptors[index].high.store(high, ordering: .releasing)
    }
}
