// Doorbells of one model: words that drivers write from their own threads and the model's owner polls. The exception
// to "a register access is answered by the owner". They lie in a memfd, so that a driver in another process can ring too.

import CLinux
import Glibc
import Memory
import Registers
import Synchronization

/// `count` doorbell words, a cache line each, and the means to wake the owner. All of it may be in a hostile driver's
/// hands: the words hold what anybody wrote, and nothing here waits.
@safe public final class DoorbellPage: @unchecked Sendable {
    // SAFETY (Sendable): all words are atomics; the memory lives as long as the page.
    private static let lineBytes = 64
    public let count: Int
    private let memory: SharedMemory
    private let isSleeping = Atomic<Bool>(false)
    /// Readable while a doorbell was rung that the sleeping owner has not seen.
    public let wakeDescriptor: Int32

    public init(count: Int) {
        self.count = count
        do {
            memory = try SharedMemory(byteCount: (count + 1) * Self.lineBytes, name: "doorbells")
        } catch {
            preconditionFailure("no memory for doorbells: \(error)")
        }
        wakeDescriptor = clinux_eventfd()
    }

    deinit { close(wakeDescriptor) }

    /// The memfd that holds the words, for a driver in another process; `byteCount` bytes of it.
    public var memoryDescriptor: Int32 { memory.fileDescriptor }
    public var byteCount: Int { memory.byteCount }
    /// Where in the memory doorbell `index` is.
    public func byteOffset(of index: Int) -> Int { (index + 1) * Self.lineBytes }
    /// Where in the memory a word is not zero while the owner sleeps and wants `wakeDescriptor` signalled.
    public var sleepingOffset: Int { 0 }

    private func word(_ line: Int) -> UnsafePointer<Atomic<UInt32>> {
        unsafe UnsafePointer((memory.base + line * Self.lineBytes).assumingMemoryBound(to: Atomic<UInt32>.self))
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
        isSleeping.store(sleeping, ordering: .sequentiallyConsistent)
        unsafe word(0).pointee.store(sleeping ? 1 : 0, ordering: .sequentiallyConsistent)
        if sleeping {
            // The look that follows must not pass the store: an acquiring load alone may.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        } else {
            _ = clinux_drain_eventfd(wakeDescriptor)
        }
    }

    /// Wakes the owner, whatever it waits for.
    public func wake() {
        guard isSleeping.load(ordering: .sequentiallyConsistent) else { return }
        // A driver in another process may have filled it, and may have made it one that waits.
        clinux_signal_eventfd(wakeDescriptor)
    }
}
