// The two ways in which a driver test reaches its card: as a call into the model, or over a vfio-user socket. One test is
// run over both by the trait `OverEveryBacking`; what is on one thread stays so, and virtual time stays virtual.

import Testing

/// Where the card of a test is.
public enum CardPlace: String, Sendable {
    case inProcess
    case behindSocket
    /// The server gets no descriptors of the driver's memory: every access of the card is a message.
    case behindSocketWithoutMemory

    @TaskLocal public static var current = CardPlace.inProcess
}

/// Runs every test of a suite once for each place.
public struct OverEveryBacking: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true

    public init() {}

    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await function()
        guard testCase != nil else { return }
        try await CardPlace.$current.withValue(.behindSocket) {
            let marking = IssueHandlingTrait.compactMapIssues { issue in
                var issue = issue
                issue.comments.append("the card is behind a vfio-user socket")
                return issue
            }
            try await marking.provideScope(for: test, testCase: testCase, performing: function)
        }
    }
}
