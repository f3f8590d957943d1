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
