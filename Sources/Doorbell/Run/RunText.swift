// The end of a run as people and programs read it.

extension I225Run.Summary {
    /// The counters that are not zero, and the traffic of both ends.
    public var text: String {
        var lines = statistics.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        if let wire { lines.append("wire: \(wire.framesIn) frames in, \(wire.framesOut) out, \(wire.lost) lost") }
        lines.append("netdev: \(netdev.framesIn) frames in, \(netdev.framesOut) out, \(netdev.lost) lost")
        if let captured { lines.append("captured: \(captured) frames, \(captureLost ?? 0) lost") }
        return lines.joined(separator: "\n")
    }
}
