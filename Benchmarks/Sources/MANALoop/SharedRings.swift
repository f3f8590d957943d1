// The memory that both languages' loops work on: rings and doorbells, so that no side has luckier addresses.

import CReference
import MANADriver
import MANAWire
import Synchronization

/// A ring of work requests, one of completions, and their doorbells.
@safe struct SharedRings: ~Copyable {
    // SAFETY (whole type): `memory` is one block of the size below; every pointer given out points into it and is used
    // while the rings live.
    let shape: LoopShape
    private let memory: UnsafeMutableRawPointer
    private static let lineBytes = 128

    init(_ shape: LoopShape) {
        self.shape = shape
        let byteCount = 2 * Self.lineBytes + shape.units * MANA.basicUnitBytes + shape.entries * MANA.completionBytes
        unsafe memory = .allocate(byteCount: byteCount, alignment: 4096)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { unsafe memory.deallocate() }

    private var completionBase: UnsafeMutableRawPointer { unsafe memory + 2 * Self.lineBytes }
    private var workBase: UnsafeMutableRawPointer { unsafe completionBase + shape.entries * MANA.completionBytes }

    var inC: creference_mana {
        unsafe creference_mana(
            work: workBase,
            units: UInt32(shape.units),
            completions: completionBase,
            entries: UInt32(shape.entries),
            work_doorbell: memory.assumingMemoryBound(to: UInt64.self),
            entry_doorbell: (memory + Self.lineBytes).assumingMemoryBound(to: UInt64.self),
            queue: shape.queue,
            completion_queue: shape.completionQueue,
            memory_key: shape.memoryKey
        )
    }

    var work: WorkRing {
        unsafe WorkRing(base: workBase, byteCount: shape.units * MANA.basicUnitBytes)
    }

    var completions: CompletionRing {
        unsafe CompletionRing(base: completionBase, entryCount: shape.entries)
    }

    var workDoorbell: Doorbell {
        unsafe Doorbell(word: UnsafePointer(memory.assumingMemoryBound(to: Atomic<UInt64>.self)))
    }

    var completionDoorbell: Doorbell {
        unsafe Doorbell(word: UnsafePointer((memory + Self.lineBytes).assumingMemoryBound(to: Atomic<UInt64>.self)))
    }
}

/// A doorbell is one store; it publishes what was written before.
@safe struct Doorbell {
    // SAFETY: the word outlives this value (`SharedRings`).
    let word: UnsafePointer<Atomic<UInt64>>

    @inline(__always) func ring(_ kind: DoorbellKind, _ value: QueueDoorbell) {
        unsafe word.pointee.store(value.raw(kind), ordering: .releasing)
    }
}
