// Sets of CPUs, and their text as the kernel reads and prints it.

import Interrupts
import Simulation
import Testing

@Suite struct CPUSetTests {
    @Test(
        arguments: [
            ("", [], ""), ("\n", [], ""), ("0", [0], "0"), ("0-3\n", [0, 1, 2, 3], "0-3"), ("3,1", [1, 3], "1,3"),
            ("0-1,4,6-7", [0, 1, 4, 6, 7], "0-1,4,6-7"), ("0-2,1-3", [0, 1, 2, 3], "0-3"),
            ("63-64,127-128", [63, 64, 127, 128], "63-64,127-128"), ("65535", [65535], "65535"),
        ]
    )
    func readsAndPrintsTheKernelsLists(_ text: String, numbers: [Int], printed: String) {
        let set = CPUSet(list: text)
        #expect(set?.numbers == numbers)
        #expect(set?.description == printed)
        #expect(set?.count == numbers.count)
        #expect(set?.first == numbers.min())
    }

    @Test(
        arguments: [
            ",", "0,", ",0", "0,,1", "-1", "1-", "3-1", "a", "0-x", "+1", "0 1", "0x1", "1-2-3", "65536", "0-65536",
            "0-99999999999999999999",
        ]
    )
    func refusesWhatIsNoList(_ text: String) {
        #expect(CPUSet(list: text) == nil)
    }

    /// Against the standard library's sets.
    @Test func agreesWithPlainSets() {
        var random = SeededRandom(seed: 4)
        for _ in 0..<500 {
            let limit = [3, 64, 65, 200].randomElement(using: &random) ?? 3
            let one = Set((0..<Int.random(in: 0...limit, using: &random)).map { _ in random.below(limit) })
            let other = Set((0..<Int.random(in: 0...limit, using: &random)).map { _ in random.below(limit) })
            let (first, second) = (CPUSet(one), CPUSet(other))
            #expect(first.numbers == one.sorted())
            #expect(first.union(second).numbers == one.union(other).sorted())
            #expect(first.intersection(second).numbers == one.intersection(other).sorted())
            #expect(first.subtracting(second).numbers == one.subtracting(other).sorted())
            #expect((first == second) == (one == other))
            #expect(first.isEmpty == one.isEmpty && first.first == one.min() && first.count == one.count)
            for cpu in -1...limit { #expect(first.contains(cpu) == one.contains(cpu)) }
            #expect(CPUSet(list: first.description) == first)
            #expect(first.subtracting(first) == CPUSet(), "equal sets are equal, whatever they once held")
        }
    }
}

extension SeededRandom {
    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
}
