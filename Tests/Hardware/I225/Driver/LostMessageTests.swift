// The driver's set-up over a socket, with each message of it lost in turn: a server that dies just then, or that says no.

import Backing
import Clock
import I225Driver
import I225Model
import Leases
import Memory
import TestCards
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite("Messages that fail while the driver sets its card up")
struct LostMessageTests {
    enum Fault: CaseIterable { case serverDies, serverRefuses }

    /// A card behind a server, and a man in the middle.
    private struct Remote {
        let rig = Rig()
        private let server: VFIOUserServer<StillModel<I225Model>>
        let line: Line
        private let near: SocketBox

        /// Let go of to close the server's end.
        final class Line: @unchecked Sendable {
            // SAFETY (Sendable): the test's one thread has both ends.
            var liar: Liar?
            func takeTurn() { liar?.takeTurn() }
        }

        final class SocketBox {
            private var socket: OwnedDescriptor?
            init(_ socket: consuming OwnedDescriptor) { self.socket = .some(socket) }
            func take() throws -> OwnedDescriptor {
                guard let socket = socket.take() else { preconditionFailure("connected twice") }
                return socket
            }
        }

        init() throws {
            let near = try UnixSocket.pair()
            let far = try UnixSocket.pair()
            let server = VFIOUserServer(StillModel(rig.model), connection: far.second)
            self.server = server
            self.near = SocketBox(near.first)
            line = Line()
            line.liar = Liar(near.second, far.first) { _ = server.poll() }
        }

        /// Opens everything that a driver opens, and closes it.
        func useEverything() throws {
            var options = VFIOUserOptions()
            let line = line
            options.whileWaiting = { line.takeTurn() }
            let backing = try VFIOUserBacking(near.take(), name: "test:i225", options: options, census: rig.census)
            try BringUpTests.useEverything(rig, on: backing)
        }

        /// The server learns that its client has gone.
        func hangUp() {
            line.liar = nil
            while server.poll() {}
        }
    }

    @Test("Whichever it is, the error is typed, and nothing is on loan")
    func everyMessage() throws {
        let honest = try Remote()
        try honest.useEverything()
        let commands = try #require(honest.line.liar).commands
        // Every message that is not a register access, and a sample of those.
        let places = commands.indices.filter { index in
            ![.readRegion, .writeRegion, .writeRegionMultiple].contains(commands[index]) || index % 31 == 0
                || index < 40
        }
        #expect(places.count > 30)
        for place in places {
            for fault in Fault.allCases {
                let remote = try Remote()
                remote.line.liar?.lie = { _, index, reply in
                    guard index == place else { return }
                    switch fault {
                    case .serverDies: reply.fate = .cutsOff
                    case .serverRefuses: reply.refuse(5)
                    }
                }
                do {
                    try remote.useEverything()
                    // The end of a lease cannot fail, nor can a store or a load of a flag.
                } catch let error as DeviceError {
                    #expect(!error.detail.isEmpty)
                }
                #expect(remote.rig.census.outstanding.isEmpty, "\(fault) at message \(place), \(commands[place])")
                remote.hangUp()
                #expect(remote.rig.model.host.memory.mappingCount == 0, "\(fault) at message \(place)")
            }
        }
    }
}
