// Where a target lives in the house, and what may be seen from there (docs: the picture in the README).
// A room follows from the folder alone, so a target in the wrong folder or with the wrong name has none.

/// A room of the house. The three rooms of a device carry its name.
enum Room: Equatable {
    case platform
    case service
    case wire(String)
    case model(String)
    case driver(String)
    /// `Doorbell`: the only one that sees everything.
    case host
    /// `doorbell`: parses, calls, prints.
    case command
    /// Tests, benchmarks: they may look into every room.
    case outside

    /// The room of target `name` at `path`; nil where folder and name do not fit together.
    init?(target name: String, path: String) {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.first == "Sources" else {
            self = .outside
            return
        }
        switch (parts.dropFirst().first, parts.count) {
        case ("Platform", 3) where parts[2] == name: self = .platform
        case ("Services", 3) where parts[2] == name: self = .service
        case ("Hardware", 4) where parts[2] + parts[3] == name && parts[3] == "Wire": self = .wire(parts[2])
        case ("Hardware", 4) where parts[2] + parts[3] == name && parts[3] == "Model": self = .model(parts[2])
        case ("Hardware", 4) where parts[2] + parts[3] == name && parts[3] == "Driver": self = .driver(parts[2])
        case ("Doorbell", 2) where name == "Doorbell": self = .host
        case ("doorbell", 2) where name == "doorbell": self = .command
        default: return nil
        }
    }

    /// Whether code in this room may import `module`, which lives in `room`.
    func maySee(_ module: String, in room: Room) -> Bool {
        switch self {
        case .platform: room == .platform
        case .service: room == .platform || room == .service
        case .wire: module == "Registers"
        case .model(let device): room == .platform || room == .wire(device)
        case .driver(let device): room == .platform || room == .service || room == .wire(device)
        case .host: room != .command && room != .outside
        case .command: room == .host
        case .outside: true
        }
    }

    /// Whether code in this room may import `module`, which is not ours. What the data path is built from gets the
    /// standard library and the C library, no Foundation and no networking framework.
    func maySeeForeign(_ module: String) -> Bool {
        switch self {
        case .host, .command, .outside: true
        case .platform, .service, .wire, .model, .driver:
            ["Swift", "Synchronization", "Glibc", "_Volatile"].contains(module)
        }
    }
}
