import Synchronization

/// Time that a test moves by hand.
public final class VirtualClock: Sendable {
    private let nanoseconds: Atomic<UInt64>

    public init(startNanoseconds: UInt64 = 0) {
        nanoseconds = Atomic(startNanoseconds)
    }

    public var now: UInt64 { nanoseconds.load(ordering: .acquiring) }

    public func advance(nanoseconds duration: UInt64) {
        nanoseconds.wrappingAdd(duration, ordering: .acquiringAndReleasing)
    }
}
