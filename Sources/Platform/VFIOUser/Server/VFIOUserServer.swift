// Any virtual PCI function on a Unix socket, for QEMU or whatever speaks vfio-user. Source of truth: the vfio-user protocol
// specification; where it is silent, libvfio-user, and what QEMU 11.1 was seen to do.
//
//   client ─► socket ─► MessageInput ─► command ─► model            one thread, one loop: nothing here ever waits, least
//          ◄─────────── MessageOutput ◄─ reply                      of all for the client, which may be hostile
//          ◄─ eventfds ◄──────────────── messages ◄─ model
//          ◄► its memory, mapped here ◄─► DMA of the model
//
//   no client ─ accept ─► connected ─ VERSION ─► serving ─ socket ends, or the client breaks the rules ─► no client
//   Forbidden: a command before VERSION, and a second VERSION; a second client, which waits in the backlog meanwhile.

import Backing
import CLinux
import Clock
import Glibc
import Memory
import PCIe

/// Serves one model to one client after another. It owns the model: one polling thread has both.
public final class VFIOUserServer<Model: PCIeModel>: Pollable {
    public let model: Model
    public let options: VFIOUserServerOptions
    public internal(set) var counters = VFIOUserCounters()
    /// Told of the vectors that the client attaches and takes away, one change after the other.
    public var onVectors: ((VectorChange) -> Void)?
    /// Whether the log also has what a client does with memory: its own, the device's, and resets.
    public var isTraced = false
    /// Where clients come from; -1 for a server of one connection.
    private let listener: OwnedDescriptor
    private var log: BoundedLog
    private(set) var connection: ServerConnection?
    let memory: ClientMemory
    let transfers: ClientTransfers
    let interrupts: ClientInterrupts
    let regions: RegionTable
    /// False: the device stands still, because its client has vanished and the next one has not touched it yet.
    private var isRunning = true
    /// The client at hand, or one that has gone, was given the doorbells' descriptors.
    var doorbellsAreLent = false
    /// Why the connection must end, once the command at hand is done with.
    var doom: String?
    private var seenFaults: UInt64 = 0

    /// Serves whoever connects to `listener`.
    ///
    /// - Parameter log: gets a line for each connection, its end, and commands that were refused.
    public init(
        _ model: Model,
        listener: consuming OwnedDescriptor,
        options: VFIOUserServerOptions = VFIOUserServerOptions(),
        log: @escaping (String) -> Void = { _ in }
    ) {
        self.model = model
        self.options = options
        self.listener = listener
        self.log = BoundedLog(model.host.clock, log)
        memory = ClientMemory(model.host.memory, options)
        transfers = ClientTransfers(model.host.memory)
        interrupts = ClientInterrupts(model)
        regions = RegionTable(model)
    }

    /// Serves the client at the other end of `connection`, and no other.
    public convenience init(
        _ model: Model,
        connection: consuming OwnedDescriptor,
        options: VFIOUserServerOptions = VFIOUserServerOptions(),
        log: @escaping (String) -> Void = { _ in }
    ) {
        self.init(model, listener: OwnedDescriptor(owning: -1), options: options, log: log)
        begin(connection)
    }

    public var hasClient: Bool { connection != nil }

    /// Nobody is served, and nobody can come any more.
    public var isFinished: Bool { connection == nil && listener.raw < 0 }

    // MARK: Progress

    /// Nothing keeps the device from its work.
    private var mayMove: Bool { isRunning && !transfers.isFull }

    /// Carries out what the client asks, a bounded number of commands, then lets the device do what is due.
    public func poll() -> Bool {
        var worked = false
        if let connection { worked = serve(connection) } else { worked = accept() }
        if mayMove {
            if model.poll() { worked = true }
            interrupts.updateLine()
        }
        if model.host.memory.transfers.hasWork || transfers.isBusy, let connection { transfer(connection) }
        lookAtMemory()
        return worked
    }

    public var nextDeadline: UInt64? {
        var deadline = mayMove ? model.nextDeadline : nil
        guard let connection else { return deadline }
        // No descriptor tells when the socket takes more; a client that is slow to read gets a look every
        // millisecond or two (a loop rounds down).
        if connection.isPending { deadline = min(deadline ?? .max, model.host.clock.now &+ 2_000_000) }
        if let due = connection.deadline { deadline = min(deadline ?? .max, due) }
        if let due = connection.twin?.deadline { deadline = min(deadline ?? .max, due) }
        if let due = transfers.deadline { deadline = min(deadline ?? .max, due) }
        return deadline
    }

    public var wakeDescriptors: [Int32] {
        var descriptors = isRunning ? model.wakeDescriptors : []
        if let connection {
            if !connection.output.isPending { descriptors.append(connection.socket.raw) }
            if let twin = connection.twin, !twin.output.isPending { descriptors.append(twin.socket.raw) }
        } else if listener.raw >= 0 {
            descriptors.append(listener.raw)
        }
        return descriptors
    }

    public func setSleeping(_ sleeping: Bool) { model.setSleeping(sleeping) }

    // MARK: The connection

    private func accept() -> Bool {
        guard listener.raw >= 0 else { return false }
        do throws(SystemError) {
            begin(try UnixSocket.accept(listener))
            return true
        } catch {
            return false
        }
    }

    private func begin(_ socket: consuming OwnedDescriptor) {
        let connection = ServerConnection(socket)
        connection.deadline = model.host.clock.now &+ options.messageTimeoutNanoseconds
        self.connection = connection
        counters.connections &+= 1
        log("client connected")
    }

    /// Ends the connection, forgets all that the client gave, and leaves the device as the options say.
    private func end(_ reason: String) {
        connection = nil
        doom = nil
        counters.disconnections &+= 1
        if doorbellsAreLent {
            // It still has them, and would ring for the next client.
            do {
                try model.host.doorbells.renew()
                doorbellsAreLent = false
            } catch {
                log("the last client keeps the doorbells: \(error)")
            }
        }
        if options.keepsState {
            // Masked, so that what fires from now on is pending and not lost.
            setVectors(interrupts.routed, masked: true)
            isRunning = false
        } else {
            model.reset()
        }
        transfers.failAll()
        interrupts.removeAll()
        memory.unmapAll()
        log("client gone: \(reason)")
    }

    /// A region was accessed: the client is there in earnest, and the device moves again.
    @inline(__always)
    func touch() {
        if !isRunning { isRunning = true }
    }

    /// Commands that are there, up to a bound; whether there were any.
    private func serve(_ connection: ServerConnection) -> Bool {
        do throws(TransportError) {
            var worked = try exchange(connection) { handle($0, connection) }
            if let twin = connection.twin, try exchange(twin, { handleTwin($0, twin) }) { worked = true }
            if let doom {
                counters.brokenConnections &+= 1
                // What was said about it so far should still reach the client.
                _ = try connection.flush()
                end(doom)
                return true
            }
            return worked
        } catch {
            switch error {
            case .closed: end("it closed the connection")
            default:
                counters.brokenConnections &+= 1
                end("\(error)")
            }
            return true
        }
    }

    @inline(__always)
    private func exchange(
        _ connection: ServerConnection,
        _ handle: (IncomingMessage) -> Void
    ) throws(TransportError) -> Bool {
        // Backpressure: who does not take replies is not asked for commands.
        if connection.output.isPending {
            let pending = connection.output.pendingByteCount
            // A client that takes its reply in pieces is one to stay awake for.
            guard try connection.flush() else { return connection.output.pendingByteCount < pending }
        }
        var count = 0
        var byteCount = 0
        var hasReceived = false
        var message = try connection.next()
        if message == nil {
            landLongWrite(connection)
            if try connection.receive() > 0 {
                hasReceived = true
                message = try connection.next()
            }
        }
        while let command = message {
            handle(command)
            count += 1
            byteCount += Int(command.header.messageSize)
            guard doom == nil, count < options.messagesPerPoll, byteCount < options.bytesPerPoll,
                connection.output.pendingByteCount < 1 << 18
            else { break }
            message = try connection.next()
        }
        if connection.output.isPending, try !connection.flush() { counters.fullOutputs &+= 1 }
        // What is there now has begun just now, even if there is something at every look.
        if count > 0, connection.isNegotiated { connection.deadline = nil }
        checkTime(connection)
        return count > 0 || hasReceived
    }

    /// Asks the client for what the device wants of memory without a descriptor.
    private func transfer(_ connection: ServerConnection) {
        let now = model.host.clock.now
        if let deadline = transfers.deadline, now >= deadline {
            counters.brokenConnections &+= 1
            return end("it did not answer a DMA access in time")
        }
        let timeout = options.messageTimeoutNanoseconds
        let way = connection.forTransfers
        guard transfers.send(way, most: connection.mostData, now: now, timeout: timeout) else { return }
        do throws(TransportError) {
            if way.output.isPending, try !way.flush() { counters.fullOutputs &+= 1 }
        } catch {
            end("\(error)")
        }
    }

    private func checkTime(_ connection: ServerConnection) {
        guard connection.input.isInsideMessage || !connection.isNegotiated else {
            connection.deadline = nil
            return
        }
        // Asking for the time costs more than a look at a socket: only while something is outstanding.
        let now = model.host.clock.now
        guard let deadline = connection.deadline else {
            connection.deadline = now &+ options.messageTimeoutNanoseconds
            return
        }
        if now >= deadline {
            doom = connection.isNegotiated ? "a message did not end in time" : "no VERSION in time"
        }
    }

    /// Finds out about memory that was truncated, and about accesses to memory that has no descriptor.
    @inline(__always)
    private func lookAtMemory() {
        let faults = model.host.memory.faults
        if faults != seenFaults {
            let space = model.host.memory
            if let fault = space.lastFault, space.isRemote(fault.iova, length: fault.length, fault.access) {
                counters.remoteAccesses &+= faults &- seenFaults
            }
            seenFaults = faults
        }
        let broken = memory.dropBroken()
        guard broken > 0 else { return }
        counters.brokenFiles &+= broken
        log("the client truncated \(broken) files of its memory; the device reaches them no more")
    }

    // MARK: For the commands

    /// A line for who wants to see what a client does.
    func trace(_ line: @autoclosure () -> String) { if isTraced { log(line()) } }

    func report(_ refusal: Refusal, _ header: MessageHeader, _ connection: ServerConnection) {
        let most = 16
        connection.loggedRefusals += 1
        guard connection.loggedRefusals <= most else { return }
        let name = Command(rawValue: header.command).map { "\($0)" } ?? "command \(header.command)"
        let rest = connection.loggedRefusals == most ? " (further refusals are counted, not logged)" : ""
        log("refused \(name): \(refusal.reason) (errno \(refusal.errorNumber))\(rest)")
    }

    /// Masks or unmasks vectors in the device: the client keeps the real table, so a vector that it has given an eventfd
    /// is one that may be sent.
    func setVectors(_ vectors: Set<Int>, masked: Bool) {
        let command = model.readConfig(ConfigSpace.Offset.command, .word)
        guard !vectors.isEmpty, command & ConfigSpace.memorySpaceEnable != 0 else { return }
        model.setVectors(vectors, masked: masked)
    }
}
