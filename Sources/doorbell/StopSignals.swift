import Foundation
import Synchronization

/// SIGTERM and SIGINT as a question instead of an end.
final class StopSignals: Sendable {
    private static let seen = Atomic<Bool>(false)

    init() {
        for number in [SIGTERM, SIGINT] {
            // A handler may do little; a store to an atomic it may.
            signal(number) { _ in StopSignals.seen.store(true, ordering: .relaxed) }
        }
    }

    var hasCome: Bool { Self.seen.load(ordering: .relaxed) }
}
