// A mark counts from its making to its end, however its scope is left.

import Leases
import Testing

private struct Interrupted: Error {}

private func hold(_ mark: consuming CensusMark) {}

private func takeTwoThenThrow(_ census: Census) throws {
    let first = census.mark("queue")
    let second = census.mark("filter")
    #expect(census.outstanding == ["queue": 1, "filter": 1])
    defer { withExtendedLifetime(first) { withExtendedLifetime(second) {} } }
    throw Interrupted()
}

@Suite struct CensusTests {
    private let census = Census()

    @Test func countsByKind() {
        do {
            let first = census.mark("queue")
            let second = census.mark("queue")
            let third = census.mark("filter")
            #expect(census.outstanding == ["queue": 2, "filter": 1])
            hold(second)
            #expect(census.outstanding == ["queue": 1, "filter": 1])
            hold(third)
            #expect(census.outstanding == ["queue": 1])
            hold(first)
        }
        #expect(census.outstanding.isEmpty)
    }

    @Test func aMarkThatNobodyKeepsEndsAtOnce() {
        _ = census.mark("queue")
        #expect(census.outstanding.isEmpty)
    }

    @Test func aThrowEndsAllMarksOfItsScope() {
        #expect(throws: Interrupted.self) { try takeTwoThenThrow(census) }
        #expect(census.outstanding.isEmpty)
    }

    @Test func threadsMaySignInAndOutAtOnce() async {
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask { [census] in
                    for _ in 0..<1000 { hold(census.mark("kind \(number % 2)")) }
                }
            }
        }
        #expect(census.outstanding.isEmpty)
    }
}
