// `doorbell tour`: that its stories hold, that their reports say what is expected of them, and that what does not hold is
// found.

import Foundation
import Testing

@testable import Doorbell

@Suite struct TourTests {
    private static func vectorStory() throws -> (report: SystemReport, figures: VectorFigures) {
        let report = try VectorStory(framesPerQueue: 256).run { _, _ in }
        guard case .vectors(let figures) = report.figures else { throw WrongFigures() }
        return (report, figures)
    }

    private struct WrongFigures: Error {}

    @Test func theVectorsOfAMANAHold() throws {
        let (report, figures) = try Self.vectorStory()
        #expect(report.held && report.failures.isEmpty)
        #expect(figures.runs.map(\.scheme) == [.fixed, .fixed, .dynamic, .dynamic, .dynamic])
        #expect(figures.runs.map(\.offered) == [17, 5, 2, 5, 17])
        // Before the channel all 17 or one; in the end what was offered.
        #expect(figures.runs.map(\.enabledAtChannel) == [17, 17, 1, 1, 1])
        #expect(figures.runs.map(\.enabledAtQuestion) == [17, 17, 1, 1, 1])
        #expect(figures.runs.map(\.enabledAtRegistration) == [17, 5, 2, 5, 17])
        #expect(figures.runs.map(\.enabledAtEnd) == [0, 0, 0, 0, 0])
        #expect(figures.runs.map(\.queueCount) == [16, 4, 1, 4, 16])
        for run in figures.runs {
            #expect(run.queues.count == run.queueCount)
            #expect(run.queues.reduce(0) { $0 + $1.received } == UInt64(256 * run.queueCount))
            #expect(run.vectors.allSatisfy { $0.fired > 0 })
        }
    }

    @Test func vectorsLandWhereLinuxPutsThem() throws {
        let (_, figures) = try Self.vectorStory()
        func cpus(_ run: Int) -> [String?] { figures.runs[run].vectors.map(\.cpus) }
        // Read back from 6.12 and 7.x on two sockets of four cores of two threads, the card near node 1.
        let groups = ["8-9", "10-11", "12-13", "14-15", "8-9", "10-11", "12-13", "14-15"]
        let far = ["0-1", "2-3", "4-5", "6-7", "0-1", "2-3", "4-5", "6-7"]
        #expect(cpus(0) == ["8"] + groups + far)
        #expect(cpus(3) == Array(groups.prefix(5)))
        #expect(cpus(4) == ["8-9"] + (0..<16).map { "\($0)" })
        #expect(figures.runs[3].vectors.first?.name == "mana_hwc@pci:virtual:mana")
        #expect(figures.runs[3].vectors.last?.name == "mana_q3@pci:virtual:mana")
    }

    @Test func aStoryAsPeopleAndProgramsReadIt() throws {
        let (report, figures) = try Self.vectorStory()
        let tour = TourReport(systems: [report])
        let lines = tour.text.split(separator: "\n")
        #expect(lines.count == 2 + figures.runs.count + 1)
        #expect(lines.first?.hasPrefix("mana-vectors: 256 frames per queue on a card near node 1 of ") == true)
        #expect(lines.last?.hasSuffix("nothing is on loan.") == true)

        struct Document: Decodable {
            struct System: Decodable {
                let id: String
                let held: Bool
                let figures: VectorFigures
                let failures: [String]
            }
            let systems: [System]
        }
        let document = try JSONDecoder().decode(Document.self, from: Data(try tour.json().utf8))
        let system = try #require(document.systems.first)
        #expect(system.id == VectorStory.id && system.held && system.failures.isEmpty)
        #expect(system.figures.runs.map(\.vectors) == figures.runs.map(\.vectors))
    }

    /// Every figure that is checked, changed by one.
    @Test(
        arguments: [
            "takenBefore", "taken", "enabledAtChannel", "enabledAtQuestion", "enabledAtRegistration", "enabledAtEnd",
            "queueCount", "framesPerQueue",
        ]
    )
    func aFigureThatCannotBeIsFound(_ figure: String) throws {
        let (_, figures) = try Self.vectorStory()
        let run = figures.runs[3]
        let expected = run.vectors.map(\.cpus)
        #expect(run.problems(wanted: 17, expectedCPUs: expected).isEmpty)
        var fields = try #require(
            try JSONSerialization.jsonObject(with: try JSONEncoder().encode(run)) as? [String: Any]
        )
        fields[figure] = try #require(fields[figure] as? Int) + 1
        let wrong = try JSONDecoder().decode(VectorRun.self, from: try JSONSerialization.data(withJSONObject: fields))
        #expect(!wrong.problems(wanted: 17, expectedCPUs: expected).isEmpty)
    }

    @Test func aVectorInAnotherPlaceIsFoundAndTold() throws {
        let (_, figures) = try Self.vectorStory()
        let run = figures.runs[3]
        #expect(run.problems(wanted: 17, expectedCPUs: ["0", "0", "0", "0", "0"]).count == 1)
        let report = SystemReport(id: "x", held: false, figures: .vectors(figures), failures: ["it broke"])
        #expect(!TourReport(systems: [report]).held)
        #expect(report.text.hasSuffix("\nFAILED: it broke"))
    }

    // MARK: BARs

    @Test func theBARsOfAGPUHold() throws {
        let report = try BarStory().run { _, _ in }
        #expect(report.held && report.failures.isEmpty, "\(report.failures)")
        guard case .bars(let figures) = report.figures else { throw WrongFigures() }
        #expect(figures.splits.count == 7 && figures.edges.count == 14)
        // In a machine all but what has no address.
        #expect(
            figures.edges.filter { $0.machine == nil }.map(\.place)
                == Array(
                    repeating: ["across the BAR's end", "behind the BAR"],
                    count: 2
                ).flatMap { $0 }
        )
        let across = try #require(figures.edges.first { $0.place == "across the memory's end" })
        #expect(across.file == "4 kept, 4 ones" && across.machine == "4 kept, 4 ones")
        #expect(figures.calls.map(\.outcome).contains("0c 00 00 80 ff ff ff ff 0c 00 00 00 e0 ff ff ff"))
        #expect(figures.allocatedByteCount < 128 << 20, "of 96 GB")
        #expect(figures.bandwidth.map(\.way).count == 6 && figures.messagesPerSecond > 0)
        let lines = report.text.split(separator: "\n")
        #expect(lines.first?.hasPrefix("gracehopper-bars: a GPU of 97871 MiB, of which ") == true)
        #expect(lines.last?.hasSuffix("nothing is on loan.") == true)

        struct Document: Decodable {
            struct System: Decodable {
                let id: String
                let figures: BarFigures
            }
            let systems: [System]
        }
        let document = try JSONDecoder().decode(
            Document.self,
            from: Data(try TourReport(systems: [report]).json().utf8)
        )
        #expect(document.systems.first?.figures.edges == figures.edges)
        #expect(document.systems.first?.figures.splits == figures.splits)
    }

    /// One part in which the memory fills its BAR: nothing is behind it.
    @Test func theBARsOfAGPUOfEvenSizesHold() throws {
        var story = BarStory()
        story.memory = MemorySize(byteCount: 5 << 30)
        let report = try story.run { _, _ in }
        #expect(report.held, "\(report.failures)")
        guard case .bars(let figures) = report.figures else { throw WrongFigures() }
        #expect(figures.edges.count == 8 && figures.edges.map(\.file).contains("4 kept"))
    }

    @Test func whatComesOfAnAccessIsTold() {
        func outcome(_ read: [UInt8], told: Int = 4, memory: [UInt8], before: [UInt8] = [0, 0, 0, 0]) -> String {
            "\(EdgeOutcome.of(written: [1, 2, 3, 4], told: told, read: read, before: before, memory: memory))"
        }
        #expect(outcome([1, 2, 3, 4], memory: [1, 2, 3, 4]) == "4 kept")
        #expect(outcome([1, 2, 0xFF, 0xFF], memory: [1, 2, 0, 0]) == "2 kept, 2 ones")
        #expect(outcome([0xFF, 0xFF, 0xFF, 0xFF], memory: [0, 0, 0, 0]) == "4 ones")
        #expect(outcome([1, 2, 3], told: 3, memory: [1, 2, 3, 0]) == "3 kept")
        // Short, lost, elsewhere, and more than was told.
        #expect(outcome([1, 2], memory: [1, 2, 0, 0]) == "4 bytes written, 2 read")
        #expect(outcome([1, 2, 0, 0], memory: [1, 2, 0, 0]).hasPrefix("read "))
        #expect(outcome([1, 2, 3, 4], memory: [1, 2, 0, 4]).hasPrefix("the memory has "))
        #expect(outcome([1, 2, 0xFF, 0xFF], memory: [1, 2, 3, 4]).hasPrefix("behind it "))
    }

    @Test func edgesAreExpectedAsTheContractHasThem() {
        // Usable memory of 0xE000_0000 in a BAR of 4 GiB.
        func expected(_ offset: UInt64, _ count: Int) -> String {
            "\(EdgeOutcome.of(offset: offset, count: count, memory: 0xE000_0000, bar: 1 << 32))"
        }
        #expect(expected(0xDFFF_FFFC, 8) == "4 kept, 4 ones")
        #expect(expected(0xE000_0000, 8) == "8 ones" && expected(0xFFFF_FFF8, 8) == "8 ones")
        #expect(expected(0xFFFF_FFFC, 8) == "4 ones" && expected(1 << 32, 1) == "EINVAL")
    }

    @Test func anEdgeThatDidOtherwiseIsFound() {
        let edge = EdgeCase(region: 4, place: "x", offset: 0, count: 8, expected: .done(kept: 8, ones: 0))
        let right = EdgeOutcome.done(kept: 8, ones: 0)
        let wrong = EdgeOutcome.done(kept: 7, ones: 1)
        #expect(EdgeFigures(edge, file: right, machine: right).problem == nil)
        #expect(EdgeFigures(edge, file: right, machine: nil).problem == nil)
        #expect(EdgeFigures(edge, file: wrong, machine: right).problem != nil)
        #expect(EdgeFigures(edge, file: right, machine: wrong).problem != nil)
        #expect(EdgeFigures(edge, file: .refused(errno: 22), machine: nil).problem != nil)
        #expect(CallFigures("file", "x", "done", "EINVAL").problem != nil)
    }

    @Test func aSplitThatIsAnotherIsFound() throws {
        let split = BarStory.splits[1]
        let figures = try SplitFigures(split)
        #expect(figures.problem(split) == nil)
        #expect(BarStory.splits.indices.filter { figures.problem(BarStory.splits[$0]) == nil } == [1])
    }

    @Test func theStoryOfStampsHolds() throws {
        var story = StampStory(framesPerRun: 2000)
        story.ratios = [.none, .oneToTen]
        let report = try story.run { _, _ in }
        #expect(report.held && report.failures.isEmpty)
        guard case .stamps(let figures) = report.figures else { throw WrongFigures() }
        #expect(figures.runs.map(\.ratio) == ["0", "1:10"])
        let document = try JSONSerialization.jsonObject(with: Data(try TourReport(systems: [report]).json().utf8))
        let systems = try #require((document as? [String: Any])?["systems"] as? [[String: Any]])
        #expect((systems.first?["figures"] as? [String: Any])?["framesPerRun"] as? Int == 2000)
    }
}
