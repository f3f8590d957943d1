// A thread for what blocks: the tasks of Swift's concurrency share as many threads as there are CPUs, and a command that runs
// until it is told to stop would keep one from everybody.

import Foundation

/// What `body` gives on a thread of its own.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Swift.Result { try body() }) }.start()
    }
}
