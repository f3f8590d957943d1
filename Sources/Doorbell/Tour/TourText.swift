// The tour's report as people read it.

extension TourReport {
    /// One table per system, and what did not hold.
    public var text: String { systems.map { $0.text }.joined(separator: "\n\n") }
}

extension SystemReport {
    var text: String {
        var table = TextTable([
            "stamped:plain", "frames/s", "asked", "stamped", "no slot", "timed out", "plain p50", "p99", "p99.9",
            "stamped p50", "p99", "p99.9", "stamp to hand p50", "p99",
        ])
        for run in figures.runs {
            table.add([
                run.ratio, perSecond(run.framesPerSecond), "\(run.requested)", "\(run.stamped)", "\(run.skipped)",
                "\(run.timedOut)", microseconds(run.plainCompletion.p50), microseconds(run.plainCompletion.p99),
                microseconds(run.plainCompletion.p999), microseconds(run.stampedCompletion.p50),
                microseconds(run.stampedCompletion.p99), microseconds(run.stampedCompletion.p999),
                microseconds(run.hardwareToCompletion.p50), microseconds(run.hardwareToCompletion.p99),
            ])
        }
        let title =
            "\(id): \(figures.framesPerRun) frames of \(figures.frameBytes) bytes per ratio on one queue; "
            + "a stamp comes \(figures.stampDelayNanoseconds / 1000) µs after its frame; latencies in µs"
        let verdict =
            held
            ? "Every frame arrived, every buffer came back, every stamp is the model's clock, nothing is on loan."
            : failures.map { "FAILED: \($0)" }.joined(separator: "\n")
        return "\(title)\n\(table.text)\n\(verdict)"
    }
}
