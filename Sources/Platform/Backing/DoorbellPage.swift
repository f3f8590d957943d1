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
    // SAFETY (Sendable): all words are atomics; the memory lives as long as the page, or until its owner renews it while
    // nobody else in this process has a part of it.
    private static let lineBytes = 64
    public let count: Int
    private var memory: SharedMemory
    /// Of the memory. Looked at in every burst: checked accesses to a class's variable would show there.
    @exclusivity(unchecked) private var base: UnsafeMutableRawPointer
    private let isSleeping = Atomic<Bool>(false)
    /// Readable while a doorbell was rung that the sleeping owner has not seen.
    public private(set) var wakeDescriptor: Int32

    public init(count: Int) {
        self.count = count
        do {
            memory = try SharedMemory(byteCount: (count + 1) * Self.lineBytes, name: "doorbells")
            unsafe base = memory.base
        } catch {
            preconditionFailure("no memory for doorbells: \(error)")
        }
        wakeDescriptor = clinux_eventfd()
    }

    deinit { close(wakeDescriptor) }

    /// Takes other memory and another eventfd: whoever has the old ones, from another process, rings nothing with them any
    /// more. The words stay as they are. Nobody in this process may have a `register` of it.
    public func renew() throws(SystemError) {
        let fresh = try SharedMemory(byteCount: (count + 1) * Self.lineBytes, name: "doorbells")
        let descriptor = clinux_eventfd()
        guard descriptor >= 0 else { throw .last("eventfd") }
        let words = (0..<count).map { load($0) }
        unsafe base = fresh.base
        memory = fresh
        close(wakeDescriptor)
        wakeDescriptor = descriptor
        for (index, value) in words.enumerated() { store(index, value) }
        unsafe word(0).pointee.store(
            isSleeping.load(ordering: .sequentiallyConsistent) ? 1 : 0,
            ordering: .sequentiallyConsistent
        )
    }

    /// The memfd that holds the words, for a driver in another process; `byteCount` bytes of it.
    public var memoryDescriptor: Int32 { memory.fileDescriptor }
    public var byteCount: Int { memory.byteCount }
    /// Where in the memory doorbell `index` is.
    public func byteOffset(of index: Int) -> Int { (index + 1) * Self.lineBytes }
    /// Where in the memory a word is not zero while the owner sleeps and wants `wakeDescriptor` signalled.
    public var sleepingOffset: Int { 0 }

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
        clinux_signal_eventfd(wakeDescriptor)
    }
}
