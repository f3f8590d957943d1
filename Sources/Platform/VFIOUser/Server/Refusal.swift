// A command that the server does not carry out: what its error reply says, and what the log says.

import Glibc

/// Why a command was refused.
struct Refusal: Error {
    /// For the error reply.
    let errorNumber: Int32
    let reason: String

    init(_ errorNumber: Int32, _ reason: String) {
        self.errorNumber = errorNumber
        self.reason = reason
    }

    init(_ error: WireError) {
        errorNumber = error.errorNumber
        reason = "\(error)"
    }
}

/// `read`, with what is wrong with the bytes as a refusal.
@inline(__always)
func understood<Message>(_ read: () throws(WireError) -> Message) throws(Refusal) -> Message {
    do {
        return try read()
    } catch {
        throw Refusal(error)
    }
}
