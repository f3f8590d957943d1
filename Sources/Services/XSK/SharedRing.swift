// One ring in memory that two sides map, neither of which trusts the other. Every word is an atomic: the other side may
// change any of them at any time. Memory ordering is that of net/xdp/xsk_queue.h: a producer index is stored after the
// entries (release) and loaded before them (acquire), a consumer index likewise the other way round.

import Synchronization

/// The addresses of a ring's words, and its size.
///
/// SAFETY (all of this file): whoever makes a view keeps the mapping alive as long as the view, and `mask` keeps every
/// entry index inside the ring, whatever the other side wrote into the index words.
@safe @frozen @usableFromInline struct SharedRing: @unchecked Sendable {
    @usableFromInline let producer: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let consumer: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let flags: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let entries: UnsafeMutablePointer<Atomic<UInt64>>
    /// Where an index of the other side that cannot be true is counted.
    @usableFromInline let indexErrors: UnsafeMutablePointer<Atomic<UInt64>>
    /// Entries, a power of two.
    @usableFromInline let size: UInt32

    @unsafe init(
        base: UnsafeMutableRawPointer,
        offsets: XSKRingOffset,
        size: UInt32,
        indexErrors: UnsafeMutablePointer<Atomic<UInt64>>
    ) {
        precondition(size.nonzeroBitCount == 1, "a ring's size is a power of two")
        unsafe producer = (base + Int(offsets.producer)).assumingMemoryBound(to: Atomic<UInt32>.self)
        unsafe consumer = (base + Int(offsets.consumer)).assumingMemoryBound(to: Atomic<UInt32>.self)
        unsafe flags = (base + Int(offsets.flags)).assumingMemoryBound(to: Atomic<UInt32>.self)
        unsafe entries = (base + Int(offsets.entries)).assumingMemoryBound(to: Atomic<UInt64>.self)
        unsafe self.indexErrors = indexErrors
        self.size = size
    }

    @inlinable var mask: UInt32 { size &- 1 }

    /// The address at `index`, of a fill or completion ring.
    @inlinable func address(_ index: UInt32) -> UInt64 {
        unsafe entries[Int(truncatingIfNeeded: index & mask)].load(ordering: .relaxed)
    }

    @inlinable func setAddress(_ index: UInt32, _ address: UInt64) {
        unsafe entries[Int(truncatingIfNeeded: index & mask)].store(address, ordering: .relaxed)
    }

    /// The descriptor at `index`, of an Rx or Tx ring, read once: its address, and length and options in one word.
    @inlinable func descriptor(_ index: UInt32) -> (address: UInt64, lengthAndOptions: UInt64) {
        let word = unsafe entries + Int(truncatingIfNeeded: index & mask) &* 2
        return unsafe (word[0].load(ordering: .relaxed), word[1].load(ordering: .relaxed))
    }

    @inlinable func setDescriptor(_ index: UInt32, _ address: UInt64, length: UInt32, options: UInt32) {
        let word = unsafe entries + Int(truncatingIfNeeded: index & mask) &* 2
        unsafe word[0].store(address, ordering: .relaxed)
        unsafe word[1].store(UInt64(length) | UInt64(options) << 32, ordering: .relaxed)
    }

    @usableFromInline @inline(never) func countIndexError() {
        unsafe indexErrors.pointee.wrappingAdd(1, ordering: .relaxed)
    }
}
