// One loop in two languages, round by round in turns, on the same work.

public enum Language: String, CaseIterable, Sendable {
    case swift, c
}

public enum Direction: String, CaseIterable, Sendable {
    case transmit, receive
}

/// What a round did, as the driver and the device counted it. Equal work gives equal values.
public struct Work: Equatable, Sendable {
    /// Frames sent, or bytes received.
    public var volume: UInt64
    /// Descriptors or requests that the device completed.
    public var completed: UInt64
    /// Those, and doorbells, that were not as the contract wants them.
    public var errors: UInt64
    /// Of all words that the driver wrote, in order.
    public var digest: UInt64

    public init(volume: UInt64, completed: UInt64, errors: UInt64, digest: UInt64) {
        self.volume = volume
        self.completed = completed
        self.errors = errors
        self.digest = digest
    }
}

/// One round.
public struct RoundResult: Sendable {
    public var nanosecondsPerPacket: Double
    public var work: Work

    public init(nanosecondsPerPacket: Double, work: Work) {
        self.nanosecondsPerPacket = nanosecondsPerPacket
        self.work = work
    }
}

/// Both languages in turns, the first of a pair changing; one round each before it counts. Ends the process where the two did
/// not do the same, or the device found something wrong.
public func compareLanguages(
    _ direction: Direction,
    rounds: Int,
    run: (Language) -> RoundResult
) -> (swift: Samples, c: Samples) {
    var swift = Samples()
    var c = Samples()
    for round in 0...rounds {
        let inSwift: RoundResult
        let inC: RoundResult
        if round % 2 == 0 {
            inSwift = run(.swift)
            inC = run(.c)
        } else {
            inC = run(.c)
            inSwift = run(.swift)
        }
        guard inSwift.work == inC.work, inC.work.volume > 0 else {
            fail("\(direction.rawValue): not the same work: Swift \(inSwift.work), C \(inC.work)")
        }
        guard inC.work.errors == 0 else { fail("\(direction.rawValue): the device found errors: \(inC.work)") }
        guard round > 0 else { continue }
        swift.add(inSwift.nanosecondsPerPacket)
        c.add(inC.nanosecondsPerPacket)
    }
    return (swift, c)
}

/// What `PROGRAM LANGUAGE DIRECTION LAPS` asks for: one round, for an instruction counter. Ends the process on anything else.
public func singleRound(_ program: String, _ arguments: [String]) -> (Language, Direction, laps: Int) {
    guard arguments.count == 3, let language = Language(rawValue: arguments[0]),
        let direction = Direction(rawValue: arguments[1]), let laps = Int(arguments[2]), laps > 0
    else { fail("usage: \(program) [swift|c transmit|receive LAPS]") }
    return (language, direction, laps)
}
