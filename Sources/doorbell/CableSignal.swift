import Foundation
import Synchronization

/// How often SIGUSR1 has come.
final class CableSignal {
    private static let seen = Atomic<Int>(0)

    init() {
        // A handler may do little; an addition to an atomic it may.
        signal(SIGUSR1) { _ in CableSignal.seen.wrappingAdd(1, ordering: .relaxed) }
    }

    var count: Int { Self.seen.load(ordering: .relaxed) }
}
