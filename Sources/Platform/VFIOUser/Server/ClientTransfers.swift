// DMA_READ and DMA_WRITE: the device's transfers to memory that the client gave no descriptor for.
//
// They are sent between commands, never inside one, and nothing waits for the replies: a client that waits for the reply
// to its own command may be unable to serve ours meanwhile (QEMU's main loop is blocked by the CPU that waits).

import Clock
import Memory

/// The transfers of one device to one client at a time.
final class ClientTransfers {
    private static let mostOutstanding = 256
    /// Bytes on their way out beyond which nothing is added.
    private static let mostPendingBytes = 1 << 17
    /// Bytes that wait for their turn beyond which the device stands still.
    private static let mostUnsentBytes = 1 << 20
    /// Far fewer than there are identifiers, so that none comes back while its first use is in the list.
    private static let mostDueTimes = 1 << 15

    private let space: IOVASpace
    private var unsent: [Part] = []
    private var unsentByteCount = 0
    private var outstanding: [UInt16: Part] = [:]
    private var lastIdentifier: UInt16 = 0
    /// When those should have been answered that were sent, oldest first; some have been.
    private var dueTimes: [(identifier: UInt16, time: UInt64)] = []

    /// When the oldest of the outstanding ones should have been answered; nil: none is.
    var deadline: UInt64? { dueTimes.first?.time }

    /// The client answers more slowly than the device asks, which has to wait before it asks for more.
    var isFull: Bool { unsentByteCount > Self.mostUnsentBytes }

    /// A read that is answered in parts.
    fileprivate final class Read {
        let ticket: UInt64
        var bytes: [UInt8]
        var missing: Int
        var hasFailed = false

        init(ticket: UInt64, byteCount: Int) {
            self.ticket = ticket
            bytes = [UInt8](repeating: 0, count: byteCount)
            missing = byteCount
        }
    }

    /// A write that is confirmed in parts.
    fileprivate final class Write {
        let bytes: [UInt8]
        var missing: Int
        var hasFailed = false

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            missing = bytes.count
        }
    }

    /// What one message moves.
    fileprivate struct Part {
        enum Transfer {
            case read(Read)
            case write(Write)
        }
        let transfer: Transfer
        let iova: UInt64
        /// Where in the transfer it begins.
        let offset: Int
        let count: Int
    }

    init(_ space: IOVASpace) { self.space = space }

    /// Something was asked of the client, or is still to be.
    var isBusy: Bool { deadline != nil || !unsent.isEmpty }

    // MARK: Out

    /// Appends to the connection's output what the device wants and the client has room for; whether there was any.
    func send(_ connection: ServerConnection, most: Int, now: UInt64, timeout: UInt64) -> Bool {
        for transfer in space.transfers.take() { split(transfer, most: most) }
        var sent = 0
        while sent < unsent.count, outstanding.count < Self.mostOutstanding, dueTimes.count < Self.mostDueTimes,
            connection.output.pendingByteCount < Self.mostPendingBytes
        {
            let part = unsent[sent]
            sent += 1
            unsentByteCount -= part.count
            // It may have been unmapped since the device asked.
            guard space.isRemote(part.iova, length: part.count, part.access) else {
                finish(part, with: nil)
                continue
            }
            append(part, to: connection)
            dueTimes.append((lastIdentifier, now &+ timeout))
        }
        unsent.removeFirst(sent)
        return sent > 0
    }

    private func split(_ transfer: RemoteTransfer, most: Int) {
        let whole: Part.Transfer
        let start: UInt64
        let total: Int
        switch transfer {
        case .read(let ticket, let iova, let byteCount):
            whole = .read(Read(ticket: ticket, byteCount: byteCount))
            (start, total) = (iova, byteCount)
        case .write(let iova, let bytes):
            whole = .write(Write(bytes))
            (start, total) = (iova, bytes.count)
        }
        for offset in stride(from: 0, to: total, by: most) {
            unsentByteCount += min(most, total - offset)
            unsent.append(
                Part(transfer: whole, iova: start &+ UInt64(offset), offset: offset, count: min(most, total - offset))
            )
        }
    }

    private func append(_ part: Part, to connection: ServerConnection) {
        repeat { lastIdentifier &+= 1 } while outstanding[lastIdentifier] != nil
        let header = MessageHeader.command(part.command, identifier: lastIdentifier)
        let start = connection.output.buffer.begin(header)
        DMAAccess(iova: part.iova, count: UInt64(part.count)).write(to: &connection.output.buffer)
        if case .write(let write) = part.transfer {
            for byte in write.bytes[part.offset..<part.offset + part.count] { connection.output.buffer.append(byte) }
        }
        connection.output.buffer.finish(start)
        outstanding[lastIdentifier] = part
    }

    // MARK: In

    /// Takes a reply; false if nobody asked for it.
    func takeReply(_ header: MessageHeader, _ payload: RawSpan) -> Bool {
        guard let part = outstanding[header.identifier], header.command == part.command.rawValue else { return false }
        outstanding[header.identifier] = nil
        // Answers to later ones do not put off the oldest.
        dueTimes.removeFirst(dueTimes.prefix { outstanding[$0.identifier] == nil }.count)
        finish(part, with: header.isError ? nil : payload)
        return true
    }

    /// The part has ended; nil: in vain.
    private func finish(_ part: Part, with payload: RawSpan?) {
        switch part.transfer {
        case .read(let read):
            if !part.take(payload, into: read) { read.hasFailed = true }
            read.missing -= part.count
            guard read.missing == 0 else { return }
            space.transfers.finishRead(read.ticket, read.hasFailed ? nil : read.bytes)
        case .write(let write):
            if payload == nil { write.hasFailed = true }
            write.missing -= part.count
            guard write.missing == 0 else { return }
            space.transfers.finishWrite(succeeded: !write.hasFailed)
        }
    }

    /// Drops what has not been sent: the device was reset.
    func dropUnsent() {
        for transfer in space.transfers.take() { split(transfer, most: .max) }
        for part in unsent { finish(part, with: nil) }
        unsent = []
        unsentByteCount = 0
    }

    /// The client is gone.
    func failAll() {
        unsent = []
        unsentByteCount = 0
        outstanding = [:]
        dueTimes = []
        space.transfers.failAll()
    }
}

extension ClientTransfers.Part {
    fileprivate var command: Command {
        if case .read = transfer { .readDMA } else { .writeDMA }
    }

    fileprivate var access: DMAPermissions {
        if case .read = transfer { .deviceReads } else { .deviceWrites }
    }

    /// Copies a reply's data; false if it is not the data that was asked for.
    fileprivate func take(_ payload: RawSpan?, into read: ClientTransfers.Read) -> Bool {
        guard let payload, let reply = try? DMAAccess(payload), reply.iova == iova, reply.count == UInt64(count),
            payload.byteCount == DMAAccess.byteCount + count
        else { return false }
        for index in 0..<count { read.bytes[offset + index] = payload.integer(DMAAccess.byteCount + index) }
        return true
    }
}
