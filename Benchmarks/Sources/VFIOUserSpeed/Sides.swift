// The sides of the comparison, each with one thread on each CPU. While one is measured the others sleep.

import Backing
import Clock
import Ethernet
import I225Model
import Measure
import PCIe
import RawMessages
import VFIOUser

enum Side: String, CaseIterable {
    /// C against C.
    case floor
    /// The C client against our server.
    case server
    /// Our client, as a driver uses it, against our server.
    case both

    var title: String {
        switch self {
        case .floor: "floor"
        case .server: "our server"
        case .both: "our client and server"
        }
    }

    /// Drivers do not read memory by message.
    func can(_ operation: Operation) -> Bool { self != .both || !operation.isBulk }
}

/// All that is measured, ready.
final class Sides {
    private let cpu: Int
    private let registers: Served<I225Model>
    private let memory: Served<MemoryCard>
    private let driven: Driven
    private let drivenWithPosts: Driven

    /// Servers on `cpu`.
    init(cpu: Int) throws {
        self.cpu = cpu
        registers = try Served(Self.card(), cpu: cpu)
        memory = try Served(MemoryCard(clock: .monotonic), cpu: cpu)
        registers.checkRegister()
        memory.checkMemory()
        driven = try Driven(Self.card(), cpu: cpu, posts: false)
        drivenWithPosts = try Driven(Self.card(), cpu: cpu, posts: true)
    }

    /// A card whose link is up.
    private static func card() -> I225Model {
        var options = I225Options()
        options.autonegotiationNanoseconds = 0
        return I225Model(options: options, port: .loopback(), clock: .monotonic)
    }

    /// `count` messages of `operation`, after some that do not count; nanoseconds for each access.
    func round(_ side: Side, _ operation: Operation, _ count: Int) -> Double {
        switch side {
        case .floor: Floor.round(operation.onFloor, count, cpu: cpu)
        case .server: operation.isBulk ? memory.round(operation, count) : registers.round(operation, count)
        case .both: (operation.isPosted ? drivenWithPosts : driven).round(operation, count)
        }
    }
}

extension Sides {
    /// For profilers that slow down everything but waiting.
    func runOnOneThread(_ operation: Operation, _ count: Int) {
        if operation.isBulk {
            memory.runOnOneThread(operation, count)
        } else {
            registers.runOnOneThread(operation, count)
        }
    }
}

/// A model behind our server on a thread of its own, and the C client at the other end of its socket.
final class Served<Model: PCIeModel> {
    private let loop: PollingLoop
    private let server: VFIOUserServer<Model>
    private let socket: OwnedDescriptor
    private let client: RawClient

    init(_ model: Model, cpu: Int) throws {
        let pair = try UnixSocket.pair()
        server = VFIOUserServer(model, connection: try .duplicate(of: pair.second.raw))
        socket = try .duplicate(of: pair.first.raw)
        client = RawClient(socket.raw)
        loop = PollingLoop([server], cpu: cpu)
        client.negotiate()
        // Memory space and bus master on.
        let command = UInt64(ConfigSpace.Offset.command)
        let message = Message.write(region: Message.configRegion, offset: command, 0x6, posted: false, count: 2)
        _ = client.ask(message, replyBytes: Message.accessHeaderBytes)
    }

    deinit { loop.stop() }

    func round(_ operation: Operation, _ count: Int) -> Double {
        _ = client.run(operation, count / 10 + 1)
        return client.run(operation, count)
    }

    /// `count` messages of `operation` with client and server in turns on the caller's thread. The last of its calls.
    func runOnOneThread(_ operation: Operation, _ count: Int) {
        loop.stop()
        // As the loop has it: whoever polls does not know the model.
        let server: any Pollable = opaque(server)
        for _ in 0..<count {
            client.step(operation) { _ = server.poll() }
        }
    }

    /// Every write of the benchmark arrives, whichever message it comes by.
    func checkRegister() {
        for operation in [Operation.write, .posted, .postedMultiple] {
            let zero = Message.write(region: 0, offset: Target.register, 0, posted: false)
            _ = client.ask(zero, replyBytes: Message.accessHeaderBytes)
            guard read(.read).suffix(4).allSatisfy({ $0 == 0 }) else { fail("vfio-user: the register is not zero") }
            _ = client.run(operation, 1)
            let value = read(.read).suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard value == Target.value else { fail("vfio-user: \(operation.rawValue) did not reach the register") }
        }
    }

    /// Reads of many bytes bring what the memory holds.
    func checkMemory() {
        for operation in [Operation.read4K, .read1M] {
            let bytes = read(operation).dropFirst(Message.accessHeaderBytes - Message.headerBytes)
            guard bytes.enumerated().allSatisfy({ $1 == MemoryCard.byte($0) }) else {
                fail("vfio-user: \(operation.rawValue) brought other bytes")
            }
        }
    }

    private func read(_ operation: Operation) -> [UInt8] {
        client.ask(operation.message, replyBytes: operation.replyBytes)
    }
}

@inline(never) @_optimize(none)
private func opaque(_ pollable: any Pollable) -> any Pollable { pollable }
