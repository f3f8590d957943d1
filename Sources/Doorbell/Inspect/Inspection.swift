// `doorbell inspect`: a device at work, and what one looks at.

/// What can be looked at, by path: a device, then what of it where there is more than one thing.
public enum Inspection {
    private static let catalogue: [(path: String, look: @Sendable (GraceHopperCard) throws -> any JSONDocument)] = [
        ("i225/vectors", { _ in try I225Inspection.vectors() }),
        ("mana/vectors", { _ in try MANAInspection.vectors() }),
        ("gracehopper", { try GraceHopperListing($0) }),
    ]

    /// All paths there are.
    public static var paths: [String] { catalogue.map(\.path) }

    /// Starts the device of `path`, has it work, and looks; nil if there is no such path.
    ///
    /// - Parameter gpu: which one, where a GPU is looked at.
    public static func look(
        _ path: String,
        gpu: GraceHopperCard = GraceHopperCard()
    ) throws -> (any JSONDocument)? {
        guard let entry = catalogue.first(where: { $0.path == path }) else { return nil }
        return try entry.look(gpu)
    }
}
