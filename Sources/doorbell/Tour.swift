// `doorbell tour`: every system's story.

import ArgumentParser
import Doorbell

struct Tour: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs every system on virtual hardware, end to end, and checks and measures it.",
        discussion: """
            i225-tx-timestamps: zero-copy frames on one queue at five ratios of stamped to plain frames.
            mana-vectors: one interrupt vector to begin with, the rest when the card says how many; the old way beside it.
            gracehopper-bars: a GPU's memory lent as BARs that it does not have; accesses at every edge, and how fast.
            Needs no root and no network. Exits 0 only if everything held.
            """
    )

    @Argument(help: "The stories to run; all by default.")
    var stories: [Story] = Story.allCases

    @Flag(help: "Print one JSON document instead of tables.")
    var json = false

    @Option(help: "Frames per ratio.")
    var frames = 1_000_000

    @Option(help: "From the end of a frame to its stamp, in µs.")
    var stampDelay = 10

    @Flag(help: "Let a fifth request for a stamp wait for a register, instead of telling it that there is none.")
    var wait = false

    @Option(help: "Frames per queue of the vectors' story, on average.")
    var queueFrames = 4_000

    @Flag(help: "Spread vectors over this machine's CPUs, instead of 16 that are made up.")
    var here = false

    func validate() throws {
        guard (1...100_000_000).contains(frames) else { throw ValidationError("--frames takes 1 to 100000000.") }
        guard (256...1_000_000).contains(queueFrames) else {
            throw ValidationError("--queue-frames takes 256 to 1000000.")
        }
        guard (0...1_000_000).contains(stampDelay) else { throw ValidationError("--stamp-delay takes 0 to 1000000.") }
    }

    func run() throws {
        let progress = ProgressLine()
        let report = TourReport(systems: try stories.map { try run($0, progress) })
        progress.clear()
        print(json ? try report.json() : report.text)
        guard report.held else { throw ExitCode.failure }
    }

    private func run(_ story: Story, _ progress: ProgressLine) throws -> SystemReport {
        switch story {
        case .stamps:
            try StampStory(
                framesPerRun: frames,
                stampDelayNanoseconds: UInt64(stampDelay) * 1000,
                fifthRequestWaits: wait
            ).run { ratio, done in progress.show("\(story.rawValue), ratio \(ratio.rawValue)", done) }
        case .vectors:
            try VectorStory(on: here ? .here() : .sixteenCPUs, framesPerQueue: queueFrames)
                .run { offer, done in progress.show("\(story.rawValue), \(offer)", done) }
        case .bars:
            try BarStory().run { chapter, done in progress.show("\(story.rawValue), \(chapter)", done) }
        }
    }
}

/// The stories there are, by the ids of their reports.
enum Story: String, CaseIterable, ExpressibleByArgument {
    case stamps = "i225-tx-timestamps"
    case vectors = "mana-vectors"
    case bars = "gracehopper-bars"
}
