// Doorbells of one model: words that drivers write from their own threads and the model's owner polls. The exception
// to "a register access is answered by the owner".

import CLinux
import Glibc
import Registers
import Synchronization

/// `count` doorbell words, a cache line each, and the means to wake the owner.
@safe public final class DoorbellPage: @unchecked Sendable {
    // SAFETY (Sendable): all words are atomics; the memory lives as long as the page.
    private static let lineBytes = 64
    public let count: Int
    private let base: UnsafeMutableRawPointer
    /// Readable while a doorbell was rung that the sleeping owner has not seen.
    public let wakeDescriptor: Int32

    public init(count: Int) {
        self.count = count
        unsafe base = .allocate(byteCount: (count + 1) * Self.lineBytes, alignment: 128)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: (count + 1) * Self.lineBytes)
        wakeDescriptor = clinux_eventfd()
    }

    deinit {
        unsafe base.deallocate()
        close(wakeDescriptor)
    }

    private func word(_ line: Int) -> UnsafePointer<Atomic<UInt32>> {
        unsafe UnsafePointer((base + line * Self.lineBytes).assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    /// The owner's look at doorbell `index`.
    public func load(_ index: Int) -> UInt32 {
        precondition(index >= 0 && index < count, "doorbell index out of range")
        return unsafe word(index + 1).pointee.load(ordering: .acquiring)
    }

    /// The owner's own write: a reset, or a register write that came by message.
    public func store(_ index: Int, _ value: UInt32) {
        precondition(index >= 0 && index < count, "doorbell index out of range")
        unsafe word(index + 1).pointee.store(value, ordering: .releasing)
    }

    /// Doorbell `index` as a driver rings it. The caller holds the page as long as the register.
    public func register(_ index: Int) -> DoorbellRegister {
        precondition(index >= 0 && index < count, "doorbell index out of range")
        return unsafe DoorbellRegister(value: word(index + 1), sleeping: word(0), wakeDescriptor: wakeDescriptor)
    }

    /// Says that the owner is about to sleep (or is awake again). After saying so it must look once more before it
    /// sleeps: what was rung before this call is not signalled.
    public func setSleeping(_ sleeping: Bool) {
        unsafe word(0).pointee.store(sleeping ? 1 : 0, ordering: .sequentiallyConsistent)
        if sleeping {
            // The look that follows must not pass the store: an acquiring load alone may.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        } else {
            var value: UInt64 = 0
            _ = unsafe Glibc.read(wakeDescriptor, &value, 8)
        }
    }

    /// Wakes the owner, whatever it waits for.
    public func wake() {
        guard unsafe word(0).pointee.load(ordering: .sequentiallyConsistent) != 0 else { return }
        var one: UInt64 = 1
        _ = unsafe Glibc.write(wakeDescriptor, &one, 8)
    }
}
