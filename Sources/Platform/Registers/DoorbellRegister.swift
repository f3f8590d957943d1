// A tail register as a store to memory: the one register write of the data path.

import CLinux
import Synchronization

/// A doorbell in memory that the device reads by itself: a mapped BAR word, or a word that a model's owner polls.
///
/// The memory outlives the value by contract: it belongs to the backing, and whoever rings holds the backing.
@safe @frozen public struct DoorbellRegister: @unchecked Sendable {
    // SAFETY (Sendable): the words are atomics; the lifetime is the contract above.
    @usableFromInline let value: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let sleeping: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let wakeDescriptor: Int32

    /// - Parameters:
    ///   - value: the register's word.
    ///   - sleeping: not zero while the device's owner sleeps.
    ///   - wakeDescriptor: an eventfd that ends the sleep.
    @unsafe public init(
        value: UnsafePointer<Atomic<UInt32>>,
        sleeping: UnsafePointer<Atomic<UInt32>>,
        wakeDescriptor: Int32
    ) {
        unsafe self.value = value
        unsafe self.sleeping = sleeping
        self.wakeDescriptor = wakeDescriptor
    }

    /// Publishes all earlier writes (descriptors) and then `tail`; wakes the device's owner if it sleeps.
    @inlinable public func ring(_ tail: UInt32) {
        // SAFETY: see the type. Sequentially consistent, not releasing: the store must be visible before `sleeping`
        // is read, or the owner could fall asleep on a doorbell that it has not seen.
        unsafe value.pointee.store(tail, ordering: .sequentiallyConsistent)
        if unsafe sleeping.pointee.load(ordering: .sequentiallyConsistent) != 0 { wake() }
    }

    @inline(never) @usableFromInline func wake() {
        // The eventfd may be another process's, which can have filled it and made it block. A full one is as good as a
        // successful write: the sleeper wakes either way.
        clinux_signal_eventfd(wakeDescriptor)
    }
}
