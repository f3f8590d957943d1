// One interrupt vector between a device and a driver: a count, and an eventfd for those who sleep.

import CLinux
import Glibc
import Leases
import Synchronization

/// The state that both ends of a vector share. Where the ends are in two processes (vfio-user, Linux VFIO), they share the
/// eventfd alone, and each has a cell of its own.
public final class InterruptCell: Sendable {
    private let firedCount = Atomic<UInt64>(0)
    /// Readable after the vector fired, until `InterruptLease.consume`.
    public let eventDescriptor: Int32
    private let wanted: Atomic<Bool>
    /// The device's end is elsewhere: only the eventfd tells how often it fired.
    private let isSignalledFromOutside: Bool
    /// The driver's end is elsewhere, in hands that may be hostile.
    private let isSomebodyElses: Bool

    /// Both ends are in this process.
    public init() {
        eventDescriptor = clinux_eventfd()
        wanted = Atomic(false)
        isSignalledFromOutside = false
        isSomebodyElses = false
    }

    /// The driver's end: whoever gets `eventDescriptor` signals it; `fire` is never called.
    public static func signalledFromOutside() -> InterruptCell { InterruptCell(outside: clinux_eventfd()) }

    private init(outside descriptor: Int32) {
        eventDescriptor = descriptor
        wanted = Atomic(true)
        isSignalledFromOutside = true
        isSomebodyElses = false
    }

    /// The device's end: signals an eventfd that somebody else made, each time. The cell owns `descriptor`.
    public init(signalling descriptor: Int32) {
        eventDescriptor = descriptor
        wanted = Atomic(true)
        isSignalledFromOutside = false
        isSomebodyElses = true
    }

    deinit { close(eventDescriptor) }

    /// The device's end. Safe from any thread.
    public func fire() {
        firedCount.wrappingAdd(1, ordering: .sequentiallyConsistent)
        // A driver that polls pays no system call.
        guard wanted.load(ordering: .sequentiallyConsistent) else { return }
        signal()
    }

    /// Messages since the vector was attached; where the device is elsewhere, those that `consume` has seen.
    public var count: UInt64 { firedCount.load(ordering: .sequentiallyConsistent) }

    /// - Parameter consumed: messages that the owner knows of.
    fileprivate func wantEvents(after consumed: UInt64) {
        wanted.store(true, ordering: .sequentiallyConsistent)
        // What fired before the wish was seen must not be lost; what the owner knows of must not keep it awake.
        if !isSignalledFromOutside, count != consumed { signal() }
    }

    private func signal() {
        guard !isSomebodyElses else { return clinux_signal_eventfd(eventDescriptor) }
        var one: UInt64 = 1
        // SAFETY: the address and the size of a local.
        _ = unsafe write(eventDescriptor, &one, 8)
    }

    fileprivate func drain() {
        guard wanted.load(ordering: .relaxed) else { return }
        let signals = clinux_drain_eventfd(eventDescriptor)
        if isSignalledFromOutside { firedCount.wrappingAdd(signals, ordering: .sequentiallyConsistent) }
    }
}

/// Whoever attached a vector detaches it here.
public protocol VectorDetacher: AnyObject, Sendable {
    func detachVector(_ index: Int)
}

/// A vector of a device, lent to the driver. Its end detaches it: the device's messages then go nowhere.
public struct InterruptLease: ~Copyable, Sendable {
    public let index: Int
    /// For a backing that wraps this lease in one of its own.
    package let cell: InterruptCell
    private let detacher: any VectorDetacher
    private let mark: CensusMark?
    private var consumed: UInt64 = 0

    /// - Parameter mark: counts the lease; nil for one that wraps a lease which is counted already.
    public init(index: Int, cell: InterruptCell, detacher: any VectorDetacher, mark: consuming CensusMark?) {
        self.index = index
        self.cell = cell
        self.detacher = detacher
        self.mark = mark
    }

    deinit { detacher.detachVector(index) }

    /// Messages in all.
    public var firedCount: UInt64 { cell.count }

    /// Whether the vector fired since the last call; clears that.
    public mutating func consume() -> Bool {
        // Drain first: a message between the two must leave the descriptor readable or the count ahead.
        cell.drain()
        let count = cell.count
        guard count != consumed else { return false }
        consumed = count
        return true
    }

    /// A descriptor that becomes readable when the vector fires. Asking for it makes the device's end signal it.
    public func eventDescriptor() -> Int32 {
        cell.wantEvents(after: consumed)
        return cell.eventDescriptor
    }
}
