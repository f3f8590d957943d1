// A message that is wrong, as a value: what is sent, and what must come back.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

/// A command whose frame is right and whose content is not.
struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let command: UInt16
    let payload: [UInt8]
    var descriptors: [HostileDescriptor.Kind]
    /// Of the reply; 0: it is carried out.
    let errorNumber: Int32
    var testDescription: String { name }

    init(
        _ name: String,
        _ command: Command,
        _ errorNumber: Int32 = EINVAL,
        _ descriptors: [HostileDescriptor.Kind] = [],
        write: (inout MessageBuffer) -> Void
    ) {
        self.init(name, number: command.rawValue, errorNumber, descriptors, write: write)
    }

    init(
        _ name: String,
        number: UInt16,
        _ errorNumber: Int32 = EINVAL,
        _ descriptors: [HostileDescriptor.Kind] = [],
        write: (inout MessageBuffer) -> Void
    ) {
        self.name = name
        command = number
        payload = bytes(write)
        self.descriptors = descriptors
        self.errorNumber = errorNumber
    }

    /// A payload of every length but `right`, up to a bit above it, cut out of or appended to the good one.
    static func wrongLengths(
        _ command: Command,
        right: Int,
        upTo most: Int? = nil,
        write: (inout MessageBuffer) -> Void
    ) -> [Attack] {
        let good = bytes(write)
        return (0...(most ?? right + 9)).filter { $0 != right }.map { length in
            Attack("\(command) of \(length) bytes", command) {
                $0.append((Array(good.prefix(length)) + Array(repeating: 0, count: max(0, length - good.count))).raw)
            }
        }
    }

    func message(identifier: UInt16, noReply: Bool = false) -> [UInt8] {
        bytes {
            let header = MessageHeader(
                identifier: identifier,
                command: command,
                messageSize: UInt32(MessageHeader.byteCount + payload.count),
                flags: noReply ? MessageHeader.noReply : 0
            )
            header.write(to: &$0)
            $0.append(payload.raw)
        }
    }
}
