// One test per defect of the kernel patch that brought mana its vectors one by one (and of what it was made from), by its
// number in docs/vector-defects.md, which says how each test was seen to fail.

import Foundation
import Interrupts
import Leases
import Synchronization
import Testing

@Suite("Vectors without the kernel patch's defects")
struct VectorDefectTests {
    private let source = FakeSource(count: 8)
    private let vectors: InterruptVectors<FakeSource>

    init() { vectors = InterruptVectors(source) }

    /// Has another thread do `body`, while this one is in the midst of something; false if it did not get through.
    private static func anotherThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            body()
            done.signal()
        }
        return done.wait(timeout: .now() + 20) == .success
    }

    // MARK: locks

    @Test("defect 1: Nothing that may sleep is done under the lock: attaching")
    func attachingHoldsNoLock() throws {
        let vectors = vectors
        let gotThrough = Mutex<[Bool]>([])
        let other = try vectors.take(5, name: "other")
        source.change {
            $0.whileAttaching = { index in
                guard index == 0 else { return }
                let through = Self.anotherThread {
                    _ = vectors.status(5)
                    _ = vectors.takenCount
                    if let lease = try? vectors.take(name: "beside") { end(lease) }
                }
                gotThrough.withLock { $0.append(through) }
            }
        }
        end(try vectors.take(0, name: "slow"))
        #expect(gotThrough.withLock { $0 } == [true])
        #expect(source.log == ["+5", "+1", "-1", "+0", "-0"])
        end(other)
    }

    @Test("defect 2: Nothing that may sleep is done under the lock: detaching, when one is returned and when all are")
    func detachingHoldsNoLock() throws {
        let vectors = vectors
        let gotThrough = Mutex<[Bool]>([])
        do {
            var held = HeldVectors()
            #expect(vectors.fill(&held, upTo: 3, name: { "v\($0)" }) == nil)
            let other = try vectors.take(5, name: "other")
            source.change {
                $0.whileDetaching = { index in
                    guard index < 3 else { return }
                    let through = Self.anotherThread { _ = vectors.status(5) }
                    gotThrough.withLock { $0.append(through) }
                }
            }
            end(held.take(1))
            held.giveBack(from: 0)
            end(other)
        }
        #expect(gotThrough.withLock { $0 } == [true, true, true])
    }

    // MARK: look-up

    @Test(
        "defect 3: An index past the end is no vector, and not whatever memory holds",
        arguments: [3, 7, 8, -1, .max, .min]
    )
    func anIndexPastTheEndIsNoVector(_ index: Int) throws {
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 3, name: { "v\($0)" }) == nil)
        #expect(vectors.status(index) == nil)
        #expect(held.contains(index) == false && held.consume(index) == false && held.eventDescriptor(index) == nil)
        guard !(0..<8).contains(index) else { return }
        #expect(throws: FakeFailure.shortage(.noSuchVector(index, tableCount: 8))) {
            end(try vectors.take(index, name: "no vector"))
        }
    }

    @Test("defect 4: A failure has a name and says which vector; nothing has been noted for it")
    func aFailureHasAName() throws {
        source.change { $0.refused = [2] }
        #expect(throws: FakeFailure.refused(2)) { end(try vectors.take(2, name: "refused")) }
        #expect(vectors.status(2) == nil && vectors.takenCount == 0)
        source.change { $0.refused = [] }
        end(try vectors.take(2, name: "free again"))
    }

    /// Slow by a factor of hundreds where the vectors are a list; the factor here is far from both.
    @Test("defect 5: Finding a vector takes as long among 2048 as among 8")
    func findingAVectorIsNoWalk() throws {
        func nanoseconds(among count: Int) -> UInt64 {
            let vectors = InterruptVectors(FakeSource(count: count))
            var held = HeldVectors()
            #expect(vectors.fill(&held, upTo: count, name: { _ in "v" }) == nil)
            return (0..<7).map { _ in
                let clock = ContinuousClock()
                let time = clock.measure { for _ in 0..<2_000 { _ = vectors.status(count - 1) } }
                return UInt64(time / .nanoseconds(1))
            }.min() ?? 0
        }
        let few = nanoseconds(among: 8)
        let many = nanoseconds(among: 2048)
        #expect(many < 8 * few, "\(many) to \(few)")
    }

    @Test("defect 5: A vector is its number, not its place among those that are there")
    func aVectorIsItsNumber() throws {
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 6, name: { "v\($0)" }) == nil)
        end(held.take(1))
        end(held.take(3))
        for index in [0, 2, 4, 5] {
            source.fire(index)
            #expect(vectors.status(index)?.name == "v\(index)")
            #expect(vectors.status(index)?.firedCount == 1)
            #expect(held.consume(index) == true)
        }
        #expect(vectors.status(1) == nil && vectors.status(3) == nil)
    }

    @Test("defect 6: What was found stays good while its vector is returned on another thread")
    func whatWasFoundStaysGood() {
        let vectors = vectors
        let race = Race()
        let name = "a name too long to be kept in place"
        // A thread of its own: the pool that tests share may be taken up by others.
        let isDone = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let expected = VectorStatus(index: 4, name: name, cpus: nil, firedCount: 0)
            while !race.isOver.load(ordering: .relaxed) {
                guard let status = vectors.status(4) else { continue }
                race.found.add(1, ordering: .relaxed)
                guard status != expected else { continue }
                race.wrong.add(1, ordering: .relaxed)
            }
            isDone.signal()
        }
        // Half a second; longer only if the other thread has not had its turn.
        let start = ContinuousClock.now
        var elapsed = Duration.zero
        while elapsed < .milliseconds(500) || elapsed < .seconds(20) && race.found.load(ordering: .relaxed) == 0 {
            for _ in 0..<100 { if let lease = try? vectors.take(4, name: name) { end(lease) } }
            elapsed = ContinuousClock.now - start
        }
        race.isOver.store(true, ordering: .relaxed)
        isDone.wait()
        #expect(race.found.load(ordering: .relaxed) > 0)
        #expect(race.wrong.load(ordering: .relaxed) == 0)
    }

    // MARK: removal

    @Test("defect 7: A vector that the device does not let go of costs no other its end, at suspend and at the resume")
    func oneBadVectorStrandsNoOther() throws {
        source.change { $0.stuck = [2] }
        do {
            var held = HeldVectors()
            #expect(vectors.fill(&held, upTo: 5, name: { "v\($0)" }) == nil)
        }
        #expect(source.attached == [2], "all others are detached")
        #expect(vectors.takenCount == 0 && vectors.statuses.isEmpty && source.census.outstanding.isEmpty)

        // No stale entry is in front of the new ones: numbers, names and messages fit.
        source.change {
            $0.stuck = []
            $0.attached = [:]
        }
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 5, name: { "w\($0)" }) == nil)
        for index in 0..<5 {
            source.fire(index)
            #expect(vectors.status(index) == VectorStatus(index: index, name: "w\(index)", cpus: nil, firedCount: 1))
        }
    }

    @Test("defect 8: Numbers count vectors, not holders: a hole is filled with its own number")
    func aHoleIsFilledWithItsOwnNumber() throws {
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 5, name: { "v\($0)" }) == nil)
        end(held.take(0))
        end(held.take(3))
        #expect(vectors.fill(&held, upTo: 5, name: { "w\($0)" }) == nil)
        #expect(source.log.suffix(2) == ["+0", "+3"])
        #expect(vectors.statuses.map(\.name) == ["w0", "v1", "v2", "w3", "v4"])
    }

    // MARK: how many

    @Test("defect 9: Fewer is an answer: the vectors before the first refusal stay and work", arguments: 0..<6)
    func fewerIsAnAnswer(_ refused: Int) throws {
        source.change { $0.refused = [refused] }
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 6, name: { "v\($0)" }) == .refused(refused))
        #expect(held.count == refused && source.attached == Array(0..<refused))
        for index in 0..<refused {
            source.fire(index)
            #expect(held.consume(index) == true)
        }
        // The device may have more another time.
        source.change { $0.refused = [] }
        #expect(vectors.fill(&held, upTo: 6, name: { "v\($0)" }) == nil)
        #expect(held.count == 6)
    }

    @Test("defect 9: A table smaller than the offer gives as many as it holds")
    func theTableIsTheLimit() throws {
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 65_535, name: { "v\($0)" }) == nil)
        #expect(held.count == 8)
        #expect(VectorBudget(tableCount: 8, offered: 65_535, onlineCPUs: 128, queues: 64).usable == 8)
    }

    @Test(
        "defect 10: No more vectors than queues can use, whatever the number of CPUs",
        arguments: [
            (2048, 65_535, 200, 64, 65), (2048, 65_535, 64, 64, 65), (2048, 65_535, 8, 64, 9), (2048, 5, 8, 64, 5),
            (2048, 32, 8, 3, 4), (4, 32, 8, 64, 4), (2048, 1, 8, 64, 1), (2048, 0, 8, 64, 0), (0, 32, 8, 64, 0),
            (2048, 32, 0, 0, 1), (2048, -1, 8, 64, 0), (2048, 32, -7, 64, 1),
        ]
    )
    func noMoreThanQueuesCanUse(_ table: Int, offered: Int, cpus: Int, queues: Int, usable: Int) {
        let budget = VectorBudget(tableCount: table, offered: offered, onlineCPUs: cpus, queues: queues)
        #expect(budget.usable == usable)
    }

    @Test(
        "defect 12: The counts agree after every partial failure, and count nothing before it is there",
        arguments: 0..<7
    )
    func theCountsAgree(_ refused: Int) throws {
        let (source, vectors) = (source, vectors)
        let seen = Mutex<[Int]>([])
        source.change {
            $0.refused = [refused]
            $0.whileAttaching = { index in
                let counts = [vectors.takenCount, vectors.statuses.count, source.attached.count]
                seen.withLock { $0.append(contentsOf: counts) }
                #expect(vectors.status(index) == nil, "not there yet")
            }
        }
        func check(_ count: Int) {
            #expect(vectors.takenCount == count)
            #expect(vectors.statuses.count == count)
            #expect(source.attached.count == count)
            #expect(source.census.outstanding == (count == 0 ? [:] : ["vector": count]))
        }
        var held = HeldVectors()
        _ = vectors.fill(&held, upTo: 8, name: { "v\($0)" })
        check(refused)
        #expect(held.count == refused)
        #expect(seen.withLock { $0 } == (0...refused).flatMap { [$0, $0, $0] })
        _ = vectors.fill(&held, upTo: 8, name: { "v\($0)" })
        check(refused)
        // An owner that gives up after the failure leaves nothing.
        held.giveBack(from: 0)
        check(0)
    }

    /// The command channel's vector had a CPU of its own where there were more vectors than CPUs. Taken one at a time, that
    /// cannot be known yet, and it has the nearest group; the rule says so, and which one is used is the caller's word.
    @Test("defect 13: The command channel's place is part of the rule that the caller names")
    func theFirstVectorsPlaceIsPartOfTheRule() {
        let topology = Topology([[[0, 1], [2, 3]]])
        #expect(AffinityRule.allAtOnce.spread(5, over: topology, near: nil).first == [0])
        #expect(AffinityRule.allAtOnce.spread(4, over: topology, near: nil).first == [0, 1])
        for rule in [AffinityRule.oneThenRest, .oneThenOneEach] {
            for count in 1...6 { #expect(rule.spread(count, over: topology, near: nil).first == [0, 1]) }
        }
    }

    @Test("defect 14: No lock on the CPUs is held over an allocation: the topology is a value that was read before")
    func theTopologyIsAValue() throws {
        let root = NSTemporaryDirectory() + "doorbell-vectors-\(UUID().uuidString)"
        let folder = "\(root)/devices/system/cpu"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // CPUs that this machine does not have.
        try "100-101\n".write(toFile: "\(folder)/online", atomically: true, encoding: .utf8)
        var spread = AffinitySpread(.oneThenOneEach, over: try Topology.read(sysfs: root), near: nil)
        spread.place(upTo: 1)
        try FileManager.default.removeItem(atPath: root)
        spread.place(upTo: 2)
        #expect(spread.hints == [[100], [101]])
    }

    @Test("defect 15: One way to take a vector: all at once is the same calls in the same order")
    func allAtOnceIsALoop() throws {
        let atOnce = FakeSource(count: 8, canAddVectors: false)
        let vectorsAtOnce = InterruptVectors(atOnce)
        var first = HeldVectors()
        #expect(vectorsAtOnce.fill(&first, upTo: 5, name: { "v\($0)" }, cpus: { [$0] }) == nil)
        var second = HeldVectors()
        for count in 1...5 { #expect(vectors.fill(&second, upTo: count, name: { "v\($0)" }, cpus: { [$0] }) == nil) }
        #expect(atOnce.log == source.log && atOnce.hints == source.hints)
        #expect(vectorsAtOnce.statuses == vectors.statuses)
    }

    @Test("defect 16: Leases end in any order, each with its own vector")
    func leasesEndInAnyOrder() throws {
        for order in Self.orders([0, 1, 2, 3]) {
            var held = HeldVectors()
            #expect(vectors.fill(&held, upTo: 4, name: { "v\($0)" }) == nil)
            var left: Set = [0, 1, 2, 3]
            for index in order {
                end(held.take(index))
                left.remove(index)
                #expect(source.attached == left.sorted())
                #expect(vectors.statuses.map(\.index) == left.sorted())
            }
        }
    }

    // MARK: not of the patch

    /// A number that is free while its vector is still attached would be lent into a refusal.
    @Test("A number is free only after its vector was taken from the device")
    func aNumberIsFreeAfterItsVector() throws {
        let vectors = vectors
        let early = Mutex<[FakeFailure?]>([])
        let lease = try vectors.take(0, name: "going")
        source.change {
            $0.whileDetaching = { index in
                guard index == 0, early.withLock({ $0.isEmpty }) else { return }
                do throws(FakeFailure) {
                    end(try vectors.take(0, name: "too early"))
                    early.withLock { $0.append(nil) }
                } catch {
                    early.withLock { $0.append(error) }
                }
            }
        }
        end(lease)
        #expect(early.withLock { $0 } == [.shortage(.taken(0))])
        end(try vectors.take(0, name: "now"))
    }

    @Test("A vector that nobody could sleep on is refused, not lent")
    func aVectorWithoutADescriptorIsRefused() throws {
        source.change { $0.hasNoDescriptors = true }
        #expect(throws: FakeFailure.shortage(.noDescriptor(3))) { end(try vectors.take(3, name: "deaf")) }
        #expect(source.attached.isEmpty && vectors.takenCount == 0 && source.census.outstanding.isEmpty)
        source.change { $0.hasNoDescriptors = false }
        end(try vectors.take(3, name: "hears"))
    }

    private static func orders(_ items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.flatMap { first in orders(items.filter { $0 != first }).map { [first] + $0 } }
    }
}

/// What the two threads of a race tell each other.
private final class Race: Sendable {
    let found = Atomic<Int>(0)
    let wrong = Atomic<Int>(0)
    let isOver = Atomic<Bool>(false)
}
