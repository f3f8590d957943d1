// The memory that both languages' MANA loops work on: a work ring, its completions, and their doorbells, so that no side
// has luckier addresses.

import CReference
import MANADriver
import Synchronization

/// A work ring of `units`, a completion ring twice as long, and a page of doorbells.
@safe struct SharedMANARings: ~Copyable {
    // SAFETY (whole type): `memory` is one block of the size below; every pointer given out points into it and is used
    // while the rings live.
    private let units: Int
    private let memory: UnsafeMutableRawPointer
    private static let pageBytes = 4096

    private var workBytes: Int { units * 32 }
    private var completionBytes: Int { 2 * units * 64 }

    init(units: Int) {
        self.units = units
        let byteCount = Self.pageBytes + units * 32 + 2 * units * 64
        unsafe memory = .allocate(byteCount: byteCount, alignment: Self.pageBytes)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { unsafe memory.deallocate() }

    // Where in the page the doorbells are: as the card has them.
    private var workDoorbellPlace: UnsafeMutableRawPointer { unsafe memory }
    private var completionDoorbellPlace: UnsafeMutableRawPointer { unsafe memory + 0x800 }
    private var workBase: UnsafeMutableRawPointer { unsafe memory + Self.pageBytes }
    private var completionBase: UnsafeMutableRawPointer { unsafe workBase + workBytes }

    var inC: creference_mana_shared {
        unsafe creference_mana_shared(
            work: workBase,
            units: UInt32(units),
            completions: completionBase,
            entries: UInt32(2 * units),
            work_doorbell: workDoorbellPlace.assumingMemoryBound(to: UInt64.self),
            completion_doorbell: completionDoorbellPlace.assumingMemoryBound(to: UInt64.self)
        )
    }

    var work: WorkRing { unsafe WorkRing(base: workBase, byteCount: workBytes) }
    var completions: CompletionRing { unsafe CompletionRing(base: completionBase, entryCount: 2 * units) }
    var workDoorbell: DoorbellWord { unsafe DoorbellWord(workDoorbellPlace) }
    var completionDoorbell: DoorbellWord { unsafe DoorbellWord(completionDoorbellPlace) }
}

/// A doorbell in shared memory: one 64-bit store, which publishes all that was written before.
@safe struct DoorbellWord {
    // SAFETY: whoever made it keeps the memory.
    private let word: UnsafePointer<Atomic<UInt64>>

    init(_ place: UnsafeMutableRawPointer) {
        unsafe word = UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    @inline(__always) func store(_ value: UInt64) { unsafe word.pointee.store(value, ordering: .releasing) }
}
