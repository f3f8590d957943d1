// `doorbell inspect`: a device at work, and what one looks at.

/// What can be looked at, by path: a device, then what of it.
public enum Inspection {
    private static let catalogue: [(path: String, look: @Sendable () throws -> VectorListing)] = [
        ("i225/vectors", I225Inspection.vectors),
        ("mana/vectors", MANAInspection.vectors),
    ]

    /// All paths there are.
    public static var paths: [String] { catalogue.map(\.path) }

    /// Starts the device of `path`, has it work, and looks; nil if there is no such path.
    public static func look(_ path: String) throws -> VectorListing? {
        guard let entry = catalogue.first(where: { $0.path == path }) else { return nil }
        return try entry.look()
    }
}
