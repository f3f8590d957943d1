// vectors: what it costs to return, take and find a vector among 8 to 2048, by the service and by a list in C; and what
// taking only as many as the device grants saves at bring-up.
//
//   vectors              measures and judges; exit 1 if a limit is missed
//   vectors FILE.svg     the same, and draws cost against the number of vectors

import Foundation
import Measure

@main
enum VectorCost {
    static let rounds = 15
    static let sizes = [8, 16, 32, 64, 128, 256, 512, 1024, 2048]
    static let turns = 2_000

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count <= 1 else { fail("usage: vectors [FILE.svg]") }
        var thresholds = Thresholds("vectors")
        let costs = measureCosts()
        report(costs, &thresholds)
        if let file = arguments.first { try draw(costs, to: file) }
        BringUp.measure(&thresholds)
        thresholds.finish()
    }

    /// Every way at every size, in turns; one round before it counts.
    private static func measureCosts() -> [Way: [Samples]] {
        var costs: [Way: [Samples]] = [:]
        for way in Way.allCases { costs[way] = sizes.map { _ in Samples() } }
        for round in 0...rounds {
            for (place, size) in sizes.enumerated() {
                for way in Way.allCases {
                    let cost = way.nanosecondsPerTurn(vectors: size, turns: turns)
                    if round > 0 { costs[way]?[place].add(cost) }
                }
            }
        }
        return costs
    }

    private static func report(_ costs: [Way: [Samples]], _ thresholds: inout Thresholds) {
        print("returning, taking and finding a vector, ns by the number of vectors (\(rounds) rounds of \(turns)):")
        print("vectors".padded(34) + sizes.map { "\($0)".leftPadded(8) }.joined())
        for way in Way.allCases {
            guard let samples = costs[way] else { continue }
            print(way.title.padded(34) + samples.map { decimal($0.median, 0).leftPadded(8) }.joined())
        }
        func growth(_ way: Way) -> Samples {
            guard let few = costs[way]?.first, let many = costs[way]?.last else { fail("no figures") }
            return Samples.ratios(many, to: few)
        }
        print("2048 vectors to 8:")
        for way in Way.allCases { print("  \(way.title): \(decimal(growth(way).median))") }
        print("service:", thresholds.judge("service.2048-to-8", growth(.service).median))
        // The kernel's own share grows: its objects are cold among many.
        let attached = Samples.ratios(growth(.attached), to: growth(.descriptor)).median
        let verdict = thresholds.judge("attached-to-descriptor.2048-to-8", attached)
        print("service, attached to a device, to an eventfd alone: \(decimal(attached)):", verdict)
        if let service = costs[.service]?.last, let list = costs[.list]?.last {
            let ratio = Samples.ratios(service, to: list).median
            let verdict = thresholds.judge("service-to-list.2048", ratio)
            print("\(Way.service.title) to the list, 2048 vectors: \(decimal(ratio, 3)): \(verdict)")
        }
    }

    private static func draw(_ costs: [Way: [Samples]], to file: String) throws {
        let lines = Way.allCases.map { way in
            CostPlot.Line(title: way.title, color: way.color, values: costs[way, default: []].map(\.median))
        }
        let plot = CostPlot(
            title: "Returning, taking and finding a vector",
            horizontal: "vectors on loan",
            vertical: "ns",
            places: sizes,
            lines: lines
        )
        try plot.svg.write(toFile: file, atomically: true, encoding: .utf8)
    }
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    func leftPadded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
