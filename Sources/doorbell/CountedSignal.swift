import Foundation
import Synchronization

/// How often a signal has come.
struct CountedSignal {
    private static let cables = Atomic<Int>(0)
    private static let resets = Atomic<Int>(0)
    private let number: Int32

    /// SIGUSR1: somebody has pulled or plugged the cables.
    static func cable() -> CountedSignal {
        // A handler may do little; an addition to an atomic it may.
        signal(SIGUSR1) { _ in CountedSignal.cables.wrappingAdd(1, ordering: .relaxed) }
        return CountedSignal(number: SIGUSR1)
    }

    /// SIGUSR2: the cards are to ask for a reset.
    static func reset() -> CountedSignal {
        signal(SIGUSR2) { _ in CountedSignal.resets.wrappingAdd(1, ordering: .relaxed) }
        return CountedSignal(number: SIGUSR2)
    }

    var count: Int {
        if number == SIGUSR1 { return Self.cables.load(ordering: .relaxed) }
        return Self.resets.load(ordering: .relaxed)
    }
}
