// The fuzzed connection's other end: it sends what it is told to, and checks what comes back. Every command that was framed
// rightly is answered, once, in order.

import CLinux
import Glibc
import VFIOUser

final class Peer {
    private let socket: OwnedDescriptor
    private var input = MessageInput()
    private var descriptors = MessageDescriptors()
    private var expected: [(identifier: UInt16, command: UInt16)] = []
    private var nextIdentifier: UInt16 = 0
    /// Bytes were sent that are no messages: what comes back is not foreseen.
    var isInStep = true
    private(set) var isClosed = false
    /// What the server wants of memory without a descriptor.
    private(set) var wanted: [(header: MessageHeader, access: DMAAccess)] = []

    init(_ socket: consuming OwnedDescriptor) { self.socket = socket }

    func send(_ bytes: [UInt8], _ descriptors: [Int32], poll: () -> Void) {
        var sent = 0
        var looks = 0
        while sent < bytes.count, !isClosed {
            // SAFETY: both arrays are there for the call.
            let result = unsafe bytes.withUnsafeBytes { bytes in
                unsafe descriptors.withUnsafeBufferPointer { descriptors in
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                    let count = sent == 0 ? descriptors.count : 0
                    return unsafe clinux_send(
                        socket.raw,
                        rest.baseAddress,
                        UInt(rest.count),
                        descriptors.baseAddress,
                        Int32(count)
                    )
                }
            }
            if result > 0 {
                sent += result
            } else if result == Int(-EAGAIN), looks < 100 {
                looks += 1
                poll()
                receive()
            } else {
                isInStep = false
                return
            }
        }
    }

    func makeIdentifier() -> UInt16 {
        nextIdentifier &+= 1
        return nextIdentifier
    }

    func expect(_ identifier: UInt16, _ command: UInt16) { expected.append((identifier, command)) }

    var isAnswered: Bool { expected.isEmpty || isClosed || !isInStep }

    /// Takes all that has come.
    func receive() {
        guard !isClosed else { return }
        do {
            while true {
                while let message = try input.next(&descriptors) {
                    input.withPayload(of: message) { check(message.header, $0) }
                }
                guard try input.receive(from: socket) > 0 else { return }
            }
        } catch {
            if case .badMessageSize = error { fatalError("the server sent a header that lies") }
            isClosed = true
        }
    }

    private func check(_ header: MessageHeader, _ payload: RawSpan) {
        guard header.isReply else {
            guard header.command == Command.readDMA.rawValue || header.command == Command.writeDMA.rawValue,
                let access = try? DMAAccess(payload)
            else { fatalError("the server sent a command of the client's: \(header)") }
            wanted.append((header, access))
            return
        }
        if header.isError, header.messageSize != 16 || header.errorNumber == 0 {
            fatalError("an error reply that is none: \(header)")
        }
        guard isInStep else { return }
        guard !expected.isEmpty else { fatalError("a reply to nothing: \(header)") }
        let next = expected.removeFirst()
        guard next.identifier == header.identifier, next.command == header.command else {
            fatalError("the reply to \(next) is \(header)")
        }
    }

    func takeWanted() -> (header: MessageHeader, access: DMAAccess)? {
        wanted.isEmpty ? nil : wanted.removeFirst()
    }
}
