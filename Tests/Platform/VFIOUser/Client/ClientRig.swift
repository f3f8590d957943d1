// A client, a liar, a server and the sample device, on one thread.

import Backing
import Clock
import Glibc
import Leases
import Memory
import VFIOUser
import VFIOUserTestClient

/// The server's side of a client under test.
final class FarSide: @unchecked Sendable {
    // SAFETY (Sendable): the test's one thread has both sides.
    let device: SampleDevice
    let server: VFIOUserServer<SampleDevice>
    let liar: Liar

    /// - Parameter near: the server's end of the client's connection.
    init(
        _ near: consuming OwnedDescriptor,
        device: SampleDevice? = nil,
        _ options: VFIOUserServerOptions = VFIOUserServerOptions()
    ) throws {
        let device = device ?? SampleDevice(clock: .monotonic)
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(device, connection: pair.second, options: options)
        self.device = device
        self.server = server
        liar = Liar(near, pair.first) { _ = server.poll() }
    }
}

/// A client that can be lied to. Whatever goes wrong, it may lose nothing.
struct ClientRig {
    let far: FarSide
    let census = Census()
    /// Moves with each turn: how long a reply takes is the number of turns, however busy the machine is.
    let clock = VirtualClock()
    private let socket: SocketHolder
    var options = VFIOUserOptions()

    init(
        serverOptions: VFIOUserServerOptions = VFIOUserServerOptions(),
        lie: @escaping (Command, Int, inout PassingReply) -> Void = { _, _, _ in }
    ) throws {
        let pair = try UnixSocket.pair()
        let far = try FarSide(pair.second, serverOptions)
        self.far = far
        far.liar.lie = lie
        socket = SocketHolder(pair.first)
        // A lost reply ends a test's wait soon; any other comes with the next turn, or a byte of it does.
        options.replyNanoseconds = 200_000_000
        setTurn { far.liar.takeTurn() }
    }

    /// What is done while the client waits.
    mutating func setTurn(_ takeTurn: @escaping @Sendable () -> Void) {
        let clock = clock
        options.clock = .virtual(clock)
        options.whileWaiting = {
            clock.advance(nanoseconds: 20_000)
            takeTurn()
        }
    }

    var device: SampleDevice { far.device }
    var liar: Liar { far.liar }

    /// Once.
    func connect() throws -> VFIOUserBacking {
        guard let socket = socket.take() else { throw SystemError("connect", code: EALREADY) }
        return try VFIOUserBacking(socket, name: "test:sample", options: options, census: census)
    }

    private final class SocketHolder {
        private var socket: OwnedDescriptor?

        init(_ socket: consuming OwnedDescriptor) { self.socket = .some(socket) }

        func take() -> OwnedDescriptor? { socket.take() }
    }
}
