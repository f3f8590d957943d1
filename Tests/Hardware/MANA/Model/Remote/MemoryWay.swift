// Each test of a suite twice: with memory that the device shares, and with memory that it reaches by transfers alone. What
// a driver sees is the same.

import Testing

/// How the benches lend their memory.
enum MemoryWay: Sendable {
    case shared
    case remote

    @TaskLocal static var current = MemoryWay.shared
}

/// Runs every test of a suite once in each way.
struct BothMemoryWays: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        for way in [MemoryWay.shared, .remote] {
            try await MemoryWay.$current.withValue(way) { try await function() }
        }
    }
}

extension Trait where Self == BothMemoryWays {
    /// Shared memory, then remote memory.
    static var bothMemoryWays: Self { Self() }
}
