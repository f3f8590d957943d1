// What one bring-up gave, and what of it cannot be.

import Backing
import MANADriver
import Netdev

/// One offer of the story.
public struct VectorRun: Codable, Sendable {
    /// Frames of one queue pair.
    public struct Queue: Codable, Equatable, Sendable {
        public let sent: UInt64
        public let received: UInt64
    }

    public let scheme: VectorStory.Offer.Scheme
    public let offered: Int
    /// As the driver tells: before the channel was there, and in the end.
    public let takenBefore: Int
    public let taken: Int
    // As the card saw: when the channel was set up, when it was asked for its limits, when the device was registered, and
    // after the end. -1: it never was.
    public let enabledAtChannel: Int
    public let enabledAtQuestion: Int
    public let enabledAtRegistration: Int
    public var enabledAtEnd = -1
    // From the beginning of the bring-up: of the fastest of five.
    public let channelNanoseconds: UInt64
    public let bringUpNanoseconds: UInt64
    public let queueCount: Int
    public let framesPerQueue: Int
    /// Those on loan, when the frames had passed.
    public let vectors: [VectorListing.Vector]
    public let queues: [Queue]

    init<Backing: PCIeBacking>(
        _ offer: VectorStory.Offer,
        _ device: borrowing MANADevice<Backing>,
        _ log: BringUpLog,
        _ times: BringUpTimes,
        queueCount: Int,
        framesPerQueue: Int
    ) throws {
        scheme = offer.scheme
        offered = offer.vectors
        takenBefore = device.vectorStory.takenBefore
        taken = device.vectorStory.taken
        enabledAtChannel = log.channel?.enabled ?? -1
        enabledAtQuestion = log.limitsAsked?.enabled ?? -1
        enabledAtRegistration = log.registered?.enabled ?? -1
        channelNanoseconds = times.channelNanoseconds
        bringUpNanoseconds = times.wholeNanoseconds
        self.queueCount = queueCount
        self.framesPerQueue = framesPerQueue
        vectors = device.vectorStatuses.map(VectorListing.Vector.init)
        let statistics = try device.statistics()
        func count(_ name: String) -> UInt64 { statistics.first { $0.name == name }?.value ?? 0 }
        queues = (0..<queueCount).map {
            Queue(sent: count("tx_\($0)_packets"), received: count("rx_\($0)_packets"))
        }
    }

    /// What did not hold.
    ///
    /// - Parameters:
    ///   - wanted: vectors that the driver can use at most.
    ///   - expectedCPUs: by vector.
    func problems(wanted: Int, expectedCPUs: [String?]) -> [String] {
        var problems: [String] = []
        func demand(_ holds: Bool, _ problem: @autoclosure () -> String) { if !holds { problems.append(problem()) } }
        let usable = min(wanted, offered)
        let first = scheme == .fixed ? wanted : 1
        demand(takenBefore == first, "\(takenBefore) vectors taken before the channel, expected \(first)")
        demand(taken == usable, "\(taken) vectors taken, expected \(usable)")
        demand(
            enabledAtChannel == first && enabledAtQuestion == first && enabledAtRegistration == usable,
            "the card saw \(enabledAtChannel), \(enabledAtQuestion) and \(enabledAtRegistration) vectors at the channel, "
                + "the question and the registration, expected \(first), \(first) and \(usable)"
        )
        demand(enabledAtEnd == 0, "the card saw \(enabledAtEnd) vectors after the end, expected none")
        demand(queueCount == max(1, usable - 1), "\(queueCount) queues, expected \(max(1, usable - 1))")
        demand(vectors.map(\.index) == Array(0..<usable), "vectors \(vectors.map(\.index)) are on loan")
        func list(_ cpus: [String?]) -> String { cpus.map { $0 ?? "any" }.joined(separator: " ") }
        demand(
            vectors.map(\.cpus) == expectedCPUs,
            "vectors are on CPUs \(list(vectors.map(\.cpus))), expected \(list(expectedCPUs))"
        )
        let silent = vectors.filter { $0.fired == 0 }.map(\.name)
        demand(silent.isEmpty, "never fired: \(silent)")
        let total = UInt64(queueCount * framesPerQueue)
        let sent = queues.reduce(0) { $0 + $1.sent }
        let received = queues.reduce(0) { $0 + $1.received }
        demand(sent == total && received == total, "\(sent) frames sent and \(received) received, expected \(total)")
        demand(
            queues.allSatisfy { $0.received > 0 && $0.sent == $0.received },
            "a queue carried nothing, or did not send what it received: \(queues.map { "\($0.sent)/\($0.received)" })"
        )
        return problems
    }
}
