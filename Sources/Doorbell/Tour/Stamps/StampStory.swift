// The story `i225-tx-timestamps`: zero-copy frames leave through a virtual I225, some ask for a hardware stamp, and
// every buffer comes back. It measures what the kernel patch's reviewer asked for (mixed ratios on one queue) and holds
// every stamp against the model's clock.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import I225Wire
import Leases
import Memory
import XSK

/// Sends numbered frames at every ratio and reports.
public struct StampStory: Sendable {
    public static let id = "i225-tx-timestamps"

    public var framesPerRun: Int
    public var ratios = StampRatio.allCases
    public var stampDelayNanoseconds: UInt64
    /// A fifth request waits for a register, instead of being told that there is none.
    public var fifthRequestWaits: Bool

    public init(
        framesPerRun: Int = 1_000_000,
        stampDelayNanoseconds: UInt64 = 10_000,
        fifthRequestWaits: Bool = false
    ) {
        self.framesPerRun = framesPerRun
        self.stampDelayNanoseconds = stampDelayNanoseconds
        self.fifthRequestWaits = fifthRequestWaits
    }

    /// - Parameter progress: called now and then with the ratio and how much of its run is done, 0...1.
    public func run(progress: (StampRatio, Double) -> Void) throws -> SystemReport {
        var options = I225Options()
        options.stampDelayNanoseconds = stampDelayNanoseconds
        let pair = WirePair()
        let near = pair.first
        let sink = FrameSink(port: pair.second, capacity: framesPerRun)
        let card = VirtualI225(options, port: near, farEnd: [sink])
        var failures: [String] = []
        let runs = try send(through: card, to: sink, progress: progress, failures: &failures)
        if !card.census.outstanding.isEmpty { failures.append("still on loan at the end: \(card.census.outstanding)") }
        return SystemReport(
            id: Self.id,
            held: failures.isEmpty,
            figures: .stamps(
                StampFigures(
                    frameBytes: NumberedFrame.byteCount + I225.crcBytes,
                    framesPerRun: framesPerRun,
                    stampDelayNanoseconds: stampDelayNanoseconds,
                    runs: runs
                )
            ),
            failures: failures
        )
    }

    /// Everything that is lent lives in here, and is back when it returns.
    private func send(
        through card: VirtualI225,
        to sink: FrameSink,
        progress: (StampRatio, Double) -> Void,
        failures: inout [String]
    ) throws -> [StampRun] {
        var configuration = I225Configuration()
        configuration.stampShortage = fifthRequestWaits ? .wait : .report
        let device = try card.open(configuration)
        let socket = try StampTraffic.makeSocket(census: card.census)
        var traffic = StampTraffic(program: try socket.takeProgram())
        var queue = try device.openXSKQueue(0, try socket.takePool())
        var runs: [StampRun] = []
        for ratio in ratios {
            card.onModelThread { sink.restart() }
            let before = device.stampCounters
            let result = traffic.run(
                ratio,
                frames: framesPerRun,
                through: &queue,
                sink: sink,
                progress: { progress(ratio, $0) }
            )
            let problems = card.onModelThread { () -> [String] in
                result.problems(sink: sink, model: card.model, frames: framesPerRun)
            }
            failures += problems.map { "ratio \(ratio.rawValue): \($0)" }
            let counters = device.stampCounters
            if counters.late != before.late {
                failures.append("ratio \(ratio.rawValue): \(counters.late - before.late) stamps came late")
            }
            runs.append(result.report(card))
        }
        return runs
    }
}
