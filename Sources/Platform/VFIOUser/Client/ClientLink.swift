// One connection to a server: commands go out in order, each reply is waited for, and what the server asks meanwhile is
// answered. Source of truth: the vfio-user protocol specification, "Message Format" and "DMA read and write".
//
// Commands of one connection are processed in order. So a posted write needs no wait of its own: the reply to any later
// command says that the device has acted on it.

import CLinux
import Glibc
import Memory
import Synchronization

/// Whether the device answers: shared with views that reach it past the socket.
final class LinkPresence: Sendable {
    private let answers = Atomic<Bool>(true)
    private let writes = Atomic<Bool>(false)

    var isAnswering: Bool {
        get { answers.load(ordering: .acquiring) }
        set { answers.store(newValue, ordering: .releasing) }
    }

    /// There are writes that have not been sent yet.
    var hasUnsentWrites: Bool {
        get { writes.load(ordering: .relaxed) }
        set { writes.store(newValue, ordering: .relaxed) }
    }
}

/// The client's end of a connection.
struct ClientLink: ~Copyable {
    let socket: OwnedDescriptor
    private var input = MessageInput()
    var output = MessageOutput()
    private var descriptors = MessageDescriptors()
    private let options: VFIOUserOptions
    private let presence: LinkPresence
    /// What the server may read and write by message.
    private let memory: IOVASpace
    private var identifier: UInt16 = 0
    /// The writes at the end of the output that have not been sent.
    private var batch = WriteBatch()
    /// Why the connection has ended.
    private(set) var end: LinkFailure?
    var offer = ServerOffer()
    var counters = VFIOUserClientCounters()

    /// The most that waits to be sent while more is taken in: a few of the largest replies to the server's own commands.
    private static let mostPendingBytes = 4 << 20
    /// Of the flags in a message's header.
    private static let flagsOffset = 8

    init(
        _ socket: consuming OwnedDescriptor,
        _ options: VFIOUserOptions,
        memory: IOVASpace,
        presence: LinkPresence
    ) {
        self.socket = socket
        self.options = options
        self.memory = memory
        self.presence = presence
    }

    deinit { socket.hangUp() }

    // MARK: Commands

    /// Begins a command; where its message is in the output. Writes that were collected go before it.
    @inline(__always)
    mutating func begin(_ command: Command) throws(LinkFailure) -> Int {
        try requireOpen()
        if batch.count > 0 { closeBatch() }
        identifier &+= 1
        return output.buffer.begin(.command(command, identifier: identifier))
    }

    private func requireOpen() throws(LinkFailure) {
        if let end { throw .gone("the connection has ended: \(end.detail)") }
    }

    /// Sends the command that begins at `start` and waits for its reply, whose payload has `sizes` bytes.
    mutating func exchange(
        _ start: Int,
        _ command: Command,
        replying sizes: ClosedRange<Int>
    ) throws(LinkFailure) -> IncomingMessage {
        output.buffer.finish(start)
        return try reply(to: identifier, command, sizes)
    }

    private mutating func reply(
        to identifier: UInt16,
        _ command: Command,
        _ sizes: ClosedRange<Int>
    ) throws(LinkFailure) -> IncomingMessage {
        counters.roundTrips &+= 1
        let message: IncomingMessage
        do throws(LinkFailure) {
            message = try awaitReply(identifier, command)
        } catch {
            breakOff(error)
            throw error
        }
        guard !message.header.isError else {
            counters.refused &+= 1
            // An error without a number is an error.
            let number = Int32(truncatingIfNeeded: message.header.errorNumber)
            throw .refused(number > 0 ? number : EIO)
        }
        let size = Int(message.header.messageSize) - MessageHeader.byteCount
        guard sizes.contains(size) else {
            let expected = sizes.lowerBound == sizes.upperBound ? "\(sizes.lowerBound)" : "\(sizes)"
            throw confused("\(LinkFailure.name(command)): a reply with \(size) bytes, expected \(expected)")
        }
        return message
    }

    /// Ends the connection over something that the server said.
    mutating func confused(_ text: String) -> LinkFailure {
        breakOff(.confused(text))
        return .confused(text)
    }

    /// What follows the header of a reply; good until the next command.
    @_lifetime(borrow self)
    @inline(__always)
    func payload(of message: IncomingMessage) -> RawSpan { input.payload(of: message) }

    /// Takes a descriptor that came with the last reply.
    mutating func takeDescriptor(_ index: Int) -> OwnedDescriptor? { descriptors.take(index) }

    /// How many came.
    var descriptorCount: Int { descriptors.count }

    /// Ends the connection. The server sees it at once; the descriptor stays this value's until its end.
    mutating func breakOff(_ failure: LinkFailure) {
        guard end == nil else { return }
        end = failure
        presence.isAnswering = false
        presence.hasUnsentWrites = false
        batch = WriteBatch()
        descriptors.removeAll()
        counters.brokenConnections &+= 1
        socket.hangUp()
    }

    // MARK: Writes that nobody waits for

    /// Adds a write of 4 bytes to those that will be sent together.
    mutating func collect(_ access: RegionAccess, _ value: UInt64) throws(LinkFailure) {
        try requireOpen()
        if offer.writesMultiple {
            if batch.count == 0 {
                identifier &+= 1
                batch.start = output.buffer.begin(
                    .command(.writeRegionMultiple, identifier: identifier, noReply: true)
                )
                output.buffer.append(UInt64(0))
            }
            RegionWrites.write(access, value, to: &output.buffer)
        } else {
            identifier &+= 1
            batch.start = output.buffer.begin(.command(.writeRegion, identifier: identifier, noReply: true))
            access.write(to: &output.buffer)
            output.buffer.append(value, byteCount: Int(access.count))
            output.buffer.finish(batch.start)
        }
        batch.count += 1
        counters.postedWrites &+= 1
        presence.hasUnsentWrites = true
        if batch.count == WriteBatch.most { try settleWrites() }
    }

    /// Sends what was collected without waiting for the device; only for room in the socket.
    mutating func sendWrites() throws(LinkFailure) {
        guard batch.count > 0 else { return }
        closeBatch()
        do throws(LinkFailure) {
            try sendAll(.writeRegion)
        } catch {
            breakOff(error)
            throw error
        }
    }

    /// Sends what was collected and waits until the device has acted on all of it. The last message of them asks for a
    /// reply; they are processed in order.
    mutating func settleWrites() throws(LinkFailure) {
        guard batch.count > 0 else { return }
        let count = batch.count
        let start = batch.start
        closeBatch()
        output.buffer.replace(at: start + Self.flagsOffset, with: MessageHeader.typeCommand)
        if offer.writesMultiple {
            let message = try reply(to: identifier, .writeRegionMultiple, 8...8)
            let done: UInt64 = payload(of: message).integer(0)
            guard done == UInt64(count) else {
                throw confused("REGION_WRITE_MULTI: \(done) writes done, expected \(count)")
            }
        } else {
            _ = try reply(to: identifier, .writeRegion, RegionAccess.byteCount...RegionAccess.byteCount)
        }
    }

    private mutating func closeBatch() {
        if offer.writesMultiple {
            output.buffer.replace(at: batch.start + MessageHeader.byteCount, with: UInt32(batch.count))
            output.buffer.finish(batch.start)
        }
        batch = WriteBatch()
        presence.hasUnsentWrites = false
    }

    // MARK: Sending and receiving

    private mutating func awaitReply(
        _ identifier: UInt16,
        _ command: Command
    ) throws(LinkFailure) -> IncomingMessage {
        var patience = Patience(options)
        while true {
            let wasAll = try flush()
            var something = false
            if wasAll || output.buffer.count < Self.mostPendingBytes { something = try receive() > 0 }
            while something, let message = try next() {
                guard message.header.isReply else {
                    try serve(message)
                    continue
                }
                guard message.header.identifier == identifier, message.header.command == command.rawValue else {
                    throw .confused(
                        "a reply to command \(message.header.command), message \(message.header.identifier); "
                            + "expected one to \(LinkFailure.name(command)), message \(identifier)"
                    )
                }
                // Answers to the server's own commands that came before the reply.
                if output.isPending { _ = try flush() }
                return message
            }
            guard wait(&patience, something) else {
                throw .late(
                    "no reply to \(LinkFailure.name(command)) within \(options.replyNanoseconds / 1_000_000) ms"
                )
            }
        }
    }

    /// Waits until everything is sent.
    private mutating func sendAll(_ command: Command) throws(LinkFailure) {
        var patience = Patience(options)
        while try !flush() {
            let something = output.buffer.count < Self.mostPendingBytes ? try takeCommands() : false
            guard wait(&patience, something) else {
                throw .late(
                    "no room for \(LinkFailure.name(command)) within \(options.replyNanoseconds / 1_000_000) ms"
                )
            }
        }
    }

    /// Serves what the server asked while nobody waited for it; whether there was something.
    mutating func serveArrivals() -> Bool {
        guard end == nil, batch.count == 0 else { return false }
        do throws(LinkFailure) {
            guard try flush() else { return false }
            let something = try takeCommands()
            _ = try flush()
            return something
        } catch {
            breakOff(error)
            return true
        }
    }

    /// Takes in what has come where no reply can be; whether something came.
    private mutating func takeCommands() throws(LinkFailure) -> Bool {
        guard try receive() > 0 else { return false }
        while let message = try next() {
            guard message.header.isCommand else {
                throw .confused("a reply to command \(message.header.command) that nobody asked")
            }
            try serve(message)
        }
        return true
    }

    private func wait(_ patience: inout Patience, _ something: Bool) -> Bool {
        options.whileWaiting?()
        return patience.goesOn(socket.raw, sending: output.isPending, something: something)
    }

    @inline(__always)
    private mutating func flush() throws(LinkFailure) -> Bool {
        do { return try output.flush(to: socket) } catch { throw LinkFailure(error) }
    }

    @inline(__always)
    private mutating func receive() throws(LinkFailure) -> Int {
        do { return try input.receive(from: socket) } catch { throw LinkFailure(error) }
    }

    @inline(__always)
    private mutating func next() throws(LinkFailure) -> IncomingMessage? {
        do { return try input.next(&descriptors) } catch { throw LinkFailure(error) }
    }

    // MARK: The server's commands

    @inline(never)
    private mutating func serve(_ message: IncomingMessage) throws(LinkFailure) {
        let refusal: Int32? =
            switch Command(rawValue: message.header.command) {
            case _ where !message.header.isCommand: EINVAL
            case .readDMA: readMemory(message)
            case .writeDMA: writeMemory(message)
            default: ENOTSUP
            }
        guard let refusal else {
            counters.served &+= 1
            return
        }
        counters.refusedToServe &+= 1
        guard message.header.wantsReply else { return }
        let start = output.buffer.begin(message.header.refusal(refusal))
        output.buffer.finish(start)
    }

    /// Answers DMA_READ; an errno if that may not be.
    private mutating func readMemory(_ message: IncomingMessage) -> Int32? {
        let access = input.withPayload(of: message) { payload in
            payload.byteCount == DMAAccess.byteCount ? try? DMAAccess(payload) : nil
        }
        // Without a reply it is a question that nobody wants answered.
        guard let access, access.count > 0, access.count <= VersionCapabilities.defaultMostData,
            message.header.wantsReply
        else { return EINVAL }
        let start = output.buffer.begin(message.header.reply)
        access.write(to: &output.buffer)
        var isAllowed = false
        let memory = memory
        output.buffer.append(byteCount: Int(access.count)) { isAllowed = memory.read(access.iova, into: &$0) }
        guard isAllowed else {
            output.buffer.truncate(to: start)
            return EFAULT
        }
        output.buffer.finish(start)
        return nil
    }

    /// Carries DMA_WRITE out; an errno if that may not be.
    private mutating func writeMemory(_ message: IncomingMessage) -> Int32? {
        let memory = memory
        var refusal: Int32? = EINVAL
        let access = input.withPayload(of: message) { payload -> DMAAccess? in
            guard let access = try? DMAAccess(payload), access.count > 0,
                access.count == UInt64(payload.byteCount - DMAAccess.byteCount),
                access.count <= VersionCapabilities.defaultMostData
            else { return nil }
            let data = payload.extracting(DMAAccess.byteCount..<payload.byteCount)
            refusal = memory.write(access.iova, from: data) ? nil : EFAULT
            return access
        }
        guard refusal == nil, let access, message.header.wantsReply else { return refusal }
        let start = output.buffer.begin(message.header.reply)
        access.write(to: &output.buffer)
        output.buffer.finish(start)
        return nil
    }
}

/// Writes at the end of the output that wait to be sent.
private struct WriteBatch {
    /// How many are sent at most before the device has acted on them: QEMU has 200 in a message, so every server takes
    /// that many.
    static let most = 128
    var count = 0
    /// Where the last message of them begins.
    var start = 0
}
