// The tour's report as people read it.

extension TourReport {
    /// The tables of each system, and what did not hold.
    public var text: String { systems.map { $0.text }.joined(separator: "\n\n") }
}

extension SystemReport {
    var text: String {
        let verdict = held ? figures.whatHeld : failures.map { "FAILED: \($0)" }.joined(separator: "\n")
        return "\(id): \(figures.title)\n" + figures.tables.map(\.text).joined(separator: "\n\n") + "\n" + verdict
    }
}

extension StoryFigures {
    var title: String {
        switch self {
        case .stamps(let figures): figures.title
        case .vectors(let figures): figures.title
        case .bars(let figures): figures.title
        }
    }

    var tables: [TextTable] {
        switch self {
        case .stamps(let figures): [figures.table]
        case .vectors(let figures): [figures.table]
        case .bars(let figures): figures.tables
        }
    }

    /// What a story says that has nothing to complain about.
    var whatHeld: String {
        switch self {
        case .stamps:
            "Every frame arrived, every buffer came back, every stamp is the model's clock, nothing is on loan."
        case .vectors:
            "The card saw as many vectors as the driver tells, at every step; every queue carried frames both ways, every "
                + "frame came back, every vector fired, nothing is on loan."
        case .bars:
            "Every split is the contract's; every access did what it says, as a file and in a machine, and the memory holds "
                + "what was written; a reset cleared the BARs and kept the memory; nothing is on loan."
        }
    }
}

extension StampFigures {
    var title: String {
        "\(framesPerRun) frames of \(frameBytes) bytes per ratio on one queue; "
            + "a stamp comes \(stampDelayNanoseconds / 1000) µs after its frame; latencies in µs"
    }

    var table: TextTable {
        var table = TextTable([
            "stamped:plain", "frames/s", "asked", "stamped", "no slot", "timed out", "plain p50", "p99", "p99.9",
            "stamped p50", "p99", "p99.9", "stamp to hand p50", "p99",
        ])
        for run in runs {
            table.add([
                run.ratio, perSecond(run.framesPerSecond), "\(run.requested)", "\(run.stamped)", "\(run.skipped)",
                "\(run.timedOut)", microseconds(run.plainCompletion.p50), microseconds(run.plainCompletion.p99),
                microseconds(run.plainCompletion.p999), microseconds(run.stampedCompletion.p50),
                microseconds(run.stampedCompletion.p99), microseconds(run.stampedCompletion.p999),
                microseconds(run.hardwareToCompletion.p50), microseconds(run.hardwareToCompletion.p99),
            ])
        }
        return table
    }
}

extension VectorFigures {
    var title: String {
        let place = node.map { "near node \($0)" } ?? "anywhere"
        return "\(framesPerQueue) frames per queue on a card \(place) of \(machine), \(cpus) CPUs: "
            + "\(cpus + 1) vectors wanted; the fastest of five bring-ups, in µs"
    }

    var table: TextTable {
        var table = TextTable([
            "vectors", "offered", "before channel", "taken", "channel after", "all after", "queues", "frames per queue",
            "fired", "CPUs by vector",
        ])
        for run in runs {
            table.add([
                run.scheme.rawValue, "\(run.offered)", "\(run.takenBefore)", "\(run.taken)",
                microseconds(run.channelNanoseconds), microseconds(run.bringUpNanoseconds), "\(run.queueCount)",
                span(run.queues.map(\.received)), span(run.vectors.map(\.fired)),
                run.vectors.map { $0.cpus ?? "any" }.joined(separator: " "),
            ])
        }
        return table
    }

    /// The least and the most.
    private func span(_ values: [UInt64]) -> String {
        guard let least = values.min(), let most = values.max(), least < most else { return "\(values.first ?? 0)" }
        return "\(least)–\(most)"
    }
}
