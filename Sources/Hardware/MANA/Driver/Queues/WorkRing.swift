// The driver's half of a work ring: basic units of 32 bytes, written by the driver alone.
// Source: mana_gd_post_work_request (gdma_main.c of Linux 6.12 and 7.x).

import MANAWire
import Synchronization

/// The memory of a send or receive ring, as quadwords. Which of its units are free is its owner's to know.
@safe @frozen public struct WorkRing: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming; atomics. (Accesses): `quads` holds four per unit; units are masked.
    @usableFromInline let quads: UnsafePointer<Atomic<UInt64>>
    public let unitCount: Int
    @usableFromInline let mask: UInt32
    /// Units written since the beginning.
    public var head: UInt32 = 0

    /// SAFETY: `base` holds `byteCount` bytes, a power of two, and outlives the ring.
    @unsafe public init(base: UnsafeMutableRawPointer, byteCount: Int) {
        precondition(byteCount >= MANA.basicUnitBytes && byteCount.nonzeroBitCount == 1, "bytes of a ring")
        unsafe quads = UnsafePointer(base.assumingMemoryBound(to: Atomic<UInt64>.self))
        unitCount = byteCount / MANA.basicUnitBytes
        mask = UInt32(unitCount - 1)
    }

    /// What the doorbell is told: bytes.
    @inlinable public var tail: UInt32 { head &<< 5 }

    /// Slot of unit number `unit`.
    @inlinable func slot(_ unit: UInt32) -> Int { Int(truncatingIfNeeded: unit & mask) }

    /// Writes all four quadwords of unit number `unit`. The doorbell that follows publishes them.
    @inlinable func store(_ unit: UInt32, _ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        let place = unsafe quads + slot(unit) &* 4
        unsafe place[0].store(first, ordering: .relaxed)
        unsafe place[1].store(second, ordering: .relaxed)
        unsafe place[2].store(third, ordering: .relaxed)
        unsafe place[3].store(fourth, ordering: .releasing)
    }
}
