// Vectors as leases: one at a time, at any time, each given back by its end.

import Interrupts
import Leases
import Testing

@Suite struct VectorServiceTests {
    private static func service(_ count: Int, canAddVectors: Bool = true) -> (FakeSource, InterruptVectors<FakeSource>)
    {
        let source = FakeSource(count: count, canAddVectors: canAddVectors)
        return (source, InterruptVectors(source))
    }

    @Test func aLeaseIsAVectorUntilItEnds() throws {
        let (source, vectors) = Self.service(4)
        do {
            var lease = try vectors.take(2, name: "queue@pci:0000:00:02.0", cpus: [6, 7])
            #expect(lease.index == 2 && lease.name == "queue@pci:0000:00:02.0" && lease.cpus == [6, 7])
            #expect(source.attached == [2] && source.hints == [2: 6])
            #expect(vectors.takenCount == 1)
            source.fire(2)
            source.fire(2)
            #expect(lease.firedCount == 2)
            #expect(lease.consume() == true)
            #expect(lease.consume() == false)
            #expect(lease.eventDescriptor() >= 0)
            #expect(
                vectors.status(2)
                    == VectorStatus(index: 2, name: "queue@pci:0000:00:02.0", cpus: [6, 7], firedCount: 2)
            )
        }
        #expect(source.attached.isEmpty && source.log == ["+2", "-2"])
        #expect(vectors.takenCount == 0 && vectors.status(2) == nil)
        #expect(source.census.outstanding.isEmpty)
    }

    @Test func theLowestFreeVectorIsTakenUpToTheTable() throws {
        let (source, vectors) = Self.service(3)
        let first = try vectors.take(name: "a")
        let second = try vectors.take(name: "b")
        let third = try vectors.take(name: "c")
        #expect([first.index, second.index, third.index] == [0, 1, 2])
        #expect(throws: FakeFailure.shortage(.allTaken(tableCount: 3))) { end(try vectors.take(name: "d")) }
        end(second)
        let again = try vectors.take(name: "e")
        #expect(again.index == 1)
        #expect(vectors.statuses.map(\.name) == ["a", "e", "c"])
        end(first)
        end(third)
        #expect(vectors.statuses.map(\.index) == [1])
        #expect(source.attached == [1])
    }

    @Test func aVectorHasOneHolder() throws {
        let (source, vectors) = Self.service(2)
        let lease = try vectors.take(1, name: "a")
        #expect(throws: FakeFailure.shortage(.taken(1))) { end(try vectors.take(1, name: "b")) }
        #expect(vectors.status(1)?.name == "a")
        end(lease)
        end(try vectors.take(1, name: "b"))
        #expect(source.log == ["+1", "-1", "+1", "-1"])
    }

    @Test(arguments: [0, 1, 63, 64, 65, 128, 2048])
    func everyTableSizeIsUsedInFull(_ count: Int) throws {
        let (source, vectors) = Self.service(count)
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: .max, name: { "v\($0)" }) == nil)
        #expect(held.count == count && vectors.takenCount == count && source.attached.count == count)
        #expect(vectors.statuses.map(\.index) == Array(0..<count))
        // Freed from the middle outward, taken again from the bottom.
        for index in stride(from: 1, to: count, by: 2) { end(held.take(index)) }
        for index in stride(from: 1, to: count, by: 2) {
            let lease = try vectors.take(name: "again")
            #expect(lease.index == index)
            held.add(lease)
        }
        #expect(throws: FakeFailure.self) { end(try vectors.take(name: "one more")) }
    }

    /// MSI-X has no more than 2048 vectors, whatever a backing says.
    @Test(arguments: [(-5, 0), (2049, 2048), (Int.max, 2048)])
    func aTableSizeThatCannotBeIsCutOff(_ said: Int, count: Int) {
        let (_, vectors) = Self.service(said)
        #expect(vectors.tableCount == count)
        #expect(vectors.firstCount(atMost: 1) == min(1, count))
    }

    @Test func whatABackingCanDoDecidesHowManyComeFirst() {
        let (_, growing) = Self.service(8)
        #expect(growing.firstCount(atMost: 5) == 1)
        #expect(growing.firstCount(atMost: 0) == 0)
        let (_, fixed) = Self.service(8, canAddVectors: false)
        #expect(fixed.firstCount(atMost: 5) == 5)
        #expect(fixed.firstCount(atMost: 65) == 8)
    }

    /// The whole way of a driver, on both kinds of backing: first vectors, an offer, the rest; at the end as many as can be
    /// used, none idle, the same names and hints.
    @Test(arguments: [true, false], [2, 5, 9])
    func bothSchemesEndWithTheSameVectors(_ canAddVectors: Bool, offered: Int) throws {
        let (source, vectors) = Self.service(32, canAddVectors: canAddVectors)
        var spread = AffinitySpread(
            .oneThenOneEach,
            over: Topology([[[0, 1], [2, 3]], [[4, 5], [6, 7]]]),
            near: 1
        )
        var held = HeldVectors()
        let name = { $0 == 0 ? "mana_hwc@pci:test" : "mana_q\($0 - 1)@pci:test" }
        let first = vectors.firstCount(atMost: 9)
        spread.place(upTo: first)
        #expect(vectors.fill(&held, upTo: first, name: name, cpus: { spread[$0] }) == nil)
        #expect(held.count == (canAddVectors ? 1 : 9))

        let budget = VectorBudget(tableCount: vectors.tableCount, offered: offered, onlineCPUs: 8, queues: 64)
        spread.place(upTo: budget.usable)
        #expect(vectors.fill(&held, upTo: budget.usable, name: name, cpus: { spread[$0] }) == nil)
        held.giveBack(from: budget.usable)

        #expect(source.attached == Array(0..<offered))
        #expect(vectors.takenCount == offered && held.count == offered)
        #expect(vectors.status(0)?.name == "mana_hwc@pci:test" && vectors.status(0)?.cpus == [4, 5])
        #expect(vectors.status(1)?.name == "mana_q0@pci:test")
    }

    @Test func heldVectorsAreHandedOnByNumber() throws {
        let (source, vectors) = Self.service(4)
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 3, name: { "v\($0)" }) == nil)
        source.fire(1)
        #expect(held.consume(0) == false)
        #expect(held.consume(1) == true)
        #expect(held.consume(1) == false)
        #expect(held.consume(7) == false && held.consume(-1) == false)
        #expect((held.eventDescriptor(2) ?? -1) >= 0)
        #expect(held.eventDescriptor(3) == nil)
        var handed = held.take(1)
        #expect(handed?.index == 1)
        #expect(held.contains(1) == false && held.count == 2)
        #expect(held.take(1) == nil && held.take(9) == nil && held.take(-1) == nil)
        #expect(vectors.takenCount == 3, "handed on is not given back")
        // What is missing is taken again once it is free.
        handed = nil
        #expect(vectors.fill(&held, upTo: 4, name: { "w\($0)" }) == nil)
        #expect(vectors.statuses.map(\.name) == ["v0", "w1", "v2", "w3"])
        held.giveBack(from: -3)
        #expect(held.count == 0 && source.attached.isEmpty && handed == nil)
    }

    @Test func theEndOfTheHolderReturnsAllHighestFirst() throws {
        let (source, vectors) = Self.service(3)
        do {
            var held = HeldVectors()
            #expect(vectors.fill(&held, upTo: 3, name: { "v\($0)" }) == nil)
        }
        #expect(source.log == ["+0", "+1", "+2", "-2", "-1", "-0"])
        #expect(source.census.outstanding.isEmpty)
    }

    /// Two threads that want all vectors get each of them once.
    @Test func takersOnManyThreadsNeverShareAVector() async {
        let (source, vectors) = Self.service(64)
        await withTaskGroup(of: Void.self) { group in
            for taker in 0..<4 {
                group.addTask {
                    for round in 0..<300 {
                        guard let lease = try? vectors.take(name: "\(taker)") else { continue }
                        if round % 3 == 0 { source.fire(lease.index) }
                        if vectors.status(lease.index)?.name != "\(taker)" {
                            Issue.record("vector \(lease.index) is somebody else's")
                        }
                    }
                }
            }
        }
        #expect(source.attached.isEmpty && vectors.takenCount == 0)
        #expect(source.census.outstanding.isEmpty)
    }
}
