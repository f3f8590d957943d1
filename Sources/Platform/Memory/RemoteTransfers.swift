// Memory that a device reaches by messages, because its owner lent it without a descriptor to map (vfio-user's DMA_READ and
// DMA_WRITE). A model wants something, goes on with other work, and looks again later: whoever hosts it must answer
// register accesses meanwhile, so nothing here waits.

/// What a device wants done, for its host to carry out in this order.
public enum RemoteTransfer: Equatable, Sendable {
    case read(ticket: UInt64, iova: UInt64, byteCount: Int)
    case write(iova: UInt64, bytes: [UInt8])
}

/// The transfers between one device and remote memory. It belongs to the model's owner thread.
public final class RemoteTransfers {
    private var wanted: [RemoteTransfer] = []
    private var nextTicket: UInt64 = 1
    /// Reads that somebody waits for: nil until they are finished, then what came, or why nothing did.
    private var reads: [UInt64: ReadState] = [:]
    /// Writes that the far end has not confirmed. A message to the driver must not overtake them.
    public private(set) var unconfirmedWrites = 0
    public private(set) var failures: UInt64 = 0

    /// How far a read is.
    public enum ReadState: Equatable, Sendable {
        case underWay
        case finished([UInt8])
        case failed
    }

    init() {}

    // MARK: The device's side

    /// Begins to read; a ticket to ask with.
    package func read(_ iova: UInt64, byteCount: Int) -> UInt64 {
        let ticket = nextTicket
        nextTicket += 1
        reads[ticket] = .underWay
        wanted.append(.read(ticket: ticket, iova: iova, byteCount: byteCount))
        return ticket
    }

    /// How far the read is. One that has ended is forgotten by `forget`.
    package func state(_ ticket: UInt64) -> ReadState { reads[ticket] ?? .failed }

    /// The result is not wanted any more.
    package func forget(_ ticket: UInt64) { reads[ticket] = nil }

    /// Writes behind all that was written before.
    package func write(_ iova: UInt64, _ bytes: [UInt8]) {
        unconfirmedWrites += 1
        wanted.append(.write(iova: iova, bytes: bytes))
    }

    /// Reads that nobody has forgotten yet.
    package var openReads: Int { reads.count }

    // MARK: The host's side

    public var hasWork: Bool { !wanted.isEmpty }

    /// What is to be done next; each is given out once.
    public func take() -> [RemoteTransfer] {
        defer { wanted = [] }
        return wanted
    }

    /// A read has ended: with as many bytes as were wanted, or with nil where the far end refused it.
    public func finishRead(_ ticket: UInt64, _ bytes: [UInt8]?) {
        if bytes == nil { failures &+= 1 }
        guard reads[ticket] != nil else { return }
        reads[ticket] = bytes.map { .finished($0) } ?? .failed
    }

    /// A write has ended.
    public func finishWrite(succeeded: Bool) {
        if !succeeded { failures &+= 1 }
        unconfirmedWrites -= 1
    }

    /// The far end is gone: every read fails, and no write is waited for.
    public func failAll() {
        wanted = []
        unconfirmedWrites = 0
        for ticket in reads.keys where reads[ticket] == .underWay { reads[ticket] = .failed }
    }
}
