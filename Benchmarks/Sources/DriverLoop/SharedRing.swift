// The memory that both languages' loops work on: one ring and its doorbell, so that no side has luckier addresses.

import CReference
import Registers
import Rings
import Synchronization

/// A ring, its tail and the word that says whether the device's owner sleeps.
@safe struct SharedRing: ~Copyable {
    // SAFETY (whole type): `memory` is one block of the size below; every pointer given out points into it and is used
    // while the ring lives.
    let count: Int
    private let memory: UnsafeMutableRawPointer
    private static let lineBytes = 128

    init(count: Int) {
        self.count = count
        unsafe memory = .allocate(byteCount: 2 * Self.lineBytes + count * 16, alignment: 4096)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * Self.lineBytes + count * 16)
    }

    deinit { unsafe memory.deallocate() }

    private var descriptorBase: UnsafeMutableRawPointer { unsafe memory + 2 * Self.lineBytes }

    var inC: creference_shared {
        unsafe creference_shared(
            descriptors: descriptorBase,
            count: UInt32(count),
            tail: memory.assumingMemoryBound(to: UInt32.self),
            sleeping: (memory + Self.lineBytes).assumingMemoryBound(to: UInt32.self)
        )
    }

    var descriptors: DescriptorRing16 { unsafe DescriptorRing16(base: descriptorBase, count: count) }

    var doorbell: DoorbellRegister {
        unsafe DoorbellRegister(
            value: UnsafePointer(memory.assumingMemoryBound(to: Atomic<UInt32>.self)),
            sleeping: UnsafePointer((memory + Self.lineBytes).assumingMemoryBound(to: Atomic<UInt32>.self)),
            wakeDescriptor: -1
        )
    }
}
