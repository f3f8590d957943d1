// `doorbell tour`: every system's story.

import ArgumentParser
import Doorbell

struct Tour: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs every system on virtual hardware, end to end, and checks and measures it.",
        discussion: """
            i225-tx-timestamps: zero-copy frames on one queue at five ratios of stamped to plain frames. Needs no root \
            and no network. Exits 0 only if everything held.
            """
    )

    @Flag(help: "Print one JSON document instead of tables.")
    var json = false

    @Option(help: "Frames per ratio.")
    var frames = 1_000_000

    @Option(help: "From the end of a frame to its stamp, in µs.")
    var stampDelay = 10

    @Flag(help: "Let a fifth request for a stamp wait for a register, instead of telling it that there is none.")
    var wait = false

    func validate() throws {
        guard (1...100_000_000).contains(frames) else { throw ValidationError("--frames takes 1 to 100000000.") }
        guard (0...1_000_000).contains(stampDelay) else { throw ValidationError("--stamp-delay takes 0 to 1000000.") }
    }

    func run() throws {
        let story = StampStory(
            framesPerRun: frames,
            stampDelayNanoseconds: UInt64(stampDelay) * 1000,
            fifthRequestWaits: wait
        )
        let progress = ProgressLine()
        let report = TourReport(systems: [
            try story.run { ratio, done in progress.show("\(StampStory.id), ratio \(ratio.rawValue)", done) }
        ])
        progress.clear()
        print(json ? try report.json() : report.text)
        guard report.held else { throw ExitCode.failure }
    }
}
