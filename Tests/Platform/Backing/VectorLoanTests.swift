// The vectors service over every backing: the same leases, the same words.

import Backing
import Interrupts
import Leases
import Memory
import Simulation
import Testing

@Suite struct VectorLoanTests {
    @Test(arguments: Arrangement.allCases)
    func vectorsComeOneByOneWhileTheDeviceWorks(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        try Self.work(rig, rig.backing)
        #expect(rig.census.outstanding.isEmpty)
    }

    private static func work(_ rig: Rig, _ backing: some PCIeBacking) throws {
        let vectors = InterruptVectors(backing)
        #expect(vectors.tableCount == 2 && vectors.firstCount(atMost: 2) == 1)
        var held = HeldVectors()
        #expect(vectors.fill(&held, upTo: 1, name: { "scratch\($0)" }) == nil)
        var driver = try ScratchDriver(backing)
        let buffer = try backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
        driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
        #expect(rig.settle { held.consume(0) })

        // The device works with the first; now comes the second, for the first CPU of the set.
        #expect(vectors.fill(&held, upTo: 9, name: { "scratch\($0)" }, cpus: { _ in [5, 7] }) == nil)
        #expect(held.count == 2 && vectors.takenCount == 2)
        driver.copy(from: 0, to: 0, length: 8)
        #expect(rig.settle { held.consume(1) }, "a copy that is refused")
        driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
        #expect(rig.settle { held.consume(0) })
        #expect(vectors.status(0) == VectorStatus(index: 0, name: "scratch0", cpus: nil, firedCount: 2))
        #expect(vectors.status(1) == VectorStatus(index: 1, name: "scratch1", cpus: [5, 7], firedCount: 1))

        held.giveBack(from: 1)
        #expect(vectors.takenCount == 1 && vectors.statuses.map(\.index) == [0])
    }

    @Test(arguments: Arrangement.allCases)
    func whatCannotBeLentIsRefusedInTheBackingsWords(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        try Self.refuse(rig.backing)
        #expect(rig.census.outstanding.isEmpty)
    }

    private static func refuse(_ backing: some PCIeBacking) throws {
        let vectors = InterruptVectors(backing)
        for index in [-1, 2, Int.max] {
            let error = try #require(throws: DeviceError.self) { end(try vectors.take(index, name: "none")) }
            #expect(error.code == .invalidArgument && error.operation == "take vector")
            #expect(error.detail == "vector \(index) of 2" && error.device == backing.name)
        }
        let first = try vectors.take(name: "a")
        let taken = try #require(throws: DeviceError.self) { end(try vectors.take(0, name: "b")) }
        #expect(taken.code == .noResource && taken.detail == "vector 0 is on loan")
        let second = try vectors.take(name: "c")
        let all = try #require(throws: DeviceError.self) { end(try vectors.take(name: "d")) }
        #expect(all.code == .noResource && all.detail == "all 2 vectors are on loan")
        #expect(vectors.takenCount == 2)
        end(first)
        end(second)
        // Somebody attached a vector past the service: the backing's own refusal comes through, and nothing is noted.
        let past = try backing.attachVector(1, cpu: nil)
        let refused = try #require(throws: DeviceError.self) { end(try vectors.take(1, name: "e")) }
        #expect(refused.code == .noResource && vectors.takenCount == 0)
        end(past)
        end(try vectors.take(1, name: "f"))
    }

    /// Refused at the n-th, for every n.
    @Test(arguments: 0...2)
    func fewerVectorsAreAnAnswer(_ step: Int) throws {
        let rig = try Rig(.direct)
        let vectors = InterruptVectors(Faulty(rig.function, plan: FaultPlan(failAtStep: step)))
        var held = HeldVectors()
        let refusal = vectors.fill(&held, upTo: 2, name: { "scratch\($0)" })
        #expect(refusal?.code == (step < 2 ? .injected : nil))
        #expect(held.count == min(step, 2) && vectors.takenCount == held.count)
        #expect(rig.census.outstanding == (step == 0 ? [:] : ["interrupt vector": min(step, 2)]))
    }

    @Test func theHintReachesTheBacking() throws {
        let rig = try Rig(.recording)
        try Self.hint(rig)
        #expect(rig.trace.entries == [.attachVector(1, cpu: 6), .detachVector(1), .attachVector(0), .detachVector(0)])
    }

    private static func hint(_ rig: Rig) throws {
        func use(_ backing: some PCIeBacking) throws {
            let vectors = InterruptVectors(backing)
            end(try vectors.take(1, name: "a", cpus: [6, 7]))
            end(try vectors.take(0, name: "b"))
        }
        try use(rig.backing)
    }
}

private func end(_ lease: consuming VectorLease) {}
private func end(_ lease: consuming InterruptLease) {}
