// A function whose vectors are cells of this process: it can refuse, and it can be looked at while it attaches.

import Interrupts
import Leases
import Synchronization

/// What a `FakeSource` throws.
enum FakeFailure: Error, Equatable {
    case refused(Int)
    case shortage(VectorShortage)
}

final class FakeSource: VectorSource, VectorDetacher {
    struct State {
        var attached: [Int: InterruptCell] = [:]
        /// Attachments and detachments in order: `+3`, `-3`.
        var log: [String] = []
        /// Hints, by vector, as they came.
        var hints: [Int: Int] = [:]
        var refused: Set<Int> = []
        /// Vectors that the device does not let go of.
        var stuck: Set<Int> = []
        /// As where a process may open no more files.
        var hasNoDescriptors = false
        var whileAttaching: (@Sendable (Int) -> Void)?
        var whileDetaching: (@Sendable (Int) -> Void)?
    }

    let vectorCount: Int
    let canAddVectors: Bool
    let census = Census()
    private let state = Mutex(State())

    init(count: Int, canAddVectors: Bool = true) {
        vectorCount = count
        self.canAddVectors = canAddVectors
    }

    func attachVector(_ index: Int, cpu: Int?) throws(FakeFailure) -> InterruptLease {
        state.withLock { $0.whileAttaching }?(index)
        let cell = state.withLock { state -> InterruptCell? in
            guard !state.refused.contains(index), state.attached[index] == nil else { return nil }
            let cell = state.hasNoDescriptors ? InterruptCell(signalling: -1) : InterruptCell()
            state.attached[index] = cell
            state.hints[index] = cpu
            state.log.append("+\(index)")
            return cell
        }
        guard let cell else { throw .refused(index) }
        return InterruptLease(index: index, cell: cell, detacher: self, mark: census.mark("vector"))
    }

    func detachVector(_ index: Int) {
        state.withLock { $0.whileDetaching }?(index)
        state.withLock {
            $0.log.append("-\(index)")
            if !$0.stuck.contains(index) { $0.attached[index] = nil }
        }
    }

    func failure(_ reason: VectorShortage) -> FakeFailure { .shortage(reason) }

    /// A message of the device.
    func fire(_ index: Int) { state.withLock { $0.attached[index] }?.fire() }

    func change(_ body: (inout sending State) -> Void) { state.withLock { body(&$0) } }

    var attached: [Int] { state.withLock { $0.attached.keys.sorted() } }
    var log: [String] { state.withLock { $0.log } }
    var hints: [Int: Int] { state.withLock { $0.hints } }
}

/// Ends a lease where the test says, if there is one.
func end(_ lease: consuming VectorLease?) {}
