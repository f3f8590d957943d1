// Numbers are lent once each and come back by themselves: at the end of a scope, on a throw, in whatever order.

import Leases
import Testing

private struct Interrupted: Error {}

private func giveBack(_ lease: consuming IndexLease) {}

/// `#require` and `#expect` take no noncopyable values; these do.
private func held(_ lease: consuming IndexLease?) throws -> IndexLease {
    guard let lease else { throw Interrupted() }
    return lease
}

private func isRefused(_ lease: consuming IndexLease?) -> Bool { lease == nil }

/// Leases cannot be kept in an array; a chain of calls holds as many as there are.
private func holdAll(of pool: IndexPool, from first: Int = 0, then body: () throws -> Void) rethrows {
    guard let lease = pool.take() else { return try body() }
    #expect(lease.index == first)
    try holdAll(of: pool, from: first + 1, then: body)
}

@Suite struct IndexPoolTests {
    private let census = Census()

    private func pool(_ capacity: Int) -> IndexPool { IndexPool(kind: "slot", capacity: capacity, census: census) }

    @Test(arguments: [0, 1, 3, 64])
    func lendsEachNumberOnceAndThenNone(capacity: Int) {
        let pool = pool(capacity)
        holdAll(of: pool) {
            #expect(pool.takenCount == capacity)
            #expect(isRefused(pool.take()) == true)
            #expect(census.outstanding == (capacity == 0 ? [:] : ["slot": capacity]))
        }
        #expect(pool.takenCount == 0)
        #expect(census.outstanding.isEmpty)
    }

    @Test func aThrowGivesAllBack() {
        let pool = pool(3)
        #expect(throws: Interrupted.self) {
            try holdAll(of: pool) { throw Interrupted() }
        }
        #expect(pool.takenCount == 0)
        #expect(census.outstanding.isEmpty)
    }

    @Test func theLowestFreeNumberGoesOutNext() throws {
        let pool = pool(3)
        let zero = try held(pool.take())
        let one = try held(pool.take())
        let two = try held(pool.take())
        #expect(zero.index == 0 && two.index == 2)
        giveBack(one)
        let again = try held(pool.take())
        #expect(again.index == 1)
    }

    @Test func aChosenNumberIsLentIfItIsThereAndFree() throws {
        let pool = pool(4)
        let two = try held(pool.take(2))
        #expect(two.index == 2)
        #expect(isRefused(pool.take(2)) == true, "it is out")
        for outside in [-1, 4, Int.min, Int.max] { #expect(isRefused(pool.take(outside)) == true) }
        #expect(pool.takenCount == 1)
        giveBack(two)
        let again = try held(pool.take(2))
        #expect(again.index == 2)
    }

    @Test func aLeaseKeepsItsPoolAlive() throws {
        let lease = try held(IndexPool(kind: "slot", capacity: 1, census: census).take())
        #expect(census.outstanding == ["slot": 1])
        giveBack(lease)
        #expect(census.outstanding.isEmpty)
    }

    @Test func threadsNeverHoldTheSameNumber() async {
        let pool = pool(4)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 {
                        guard let lease = pool.take() else { continue }
                        // Whoever holds a number cannot be given it again.
                        #expect(isRefused(pool.take(lease.index)) == true)
                    }
                }
            }
        }
        #expect(pool.takenCount == 0)
        #expect(census.outstanding.isEmpty)
    }
}
