// One client's connection, as the server has it.

/// A socket, its two halves, and what was agreed with the client.
final class ServerConnection {
    let socket: OwnedDescriptor
    var input = MessageInput()
    var output = MessageOutput()
    /// Those of the message at hand.
    var descriptors = MessageDescriptors()
    /// VERSION has come and was answered.
    var isNegotiated = false
    /// Descriptors per message that the client takes.
    var mostDescriptors = 1
    /// Bytes of data that the client takes in one DMA_READ or DMA_WRITE.
    var mostData = Int(VersionCapabilities.defaultMostData)
    /// When the message that has begun (at first: VERSION) must be whole.
    var deadline: UInt64?
    /// Where the server's own commands go, and their replies come from, if the client has agreed to a second socket
    /// (`twin_socket`); else all of it shares this one.
    var twin: ServerConnection?
    /// Refusals that were logged; a client cannot fill the log.
    var loggedRefusals = 0

    /// Bytes of the message at hand that are where they belong already.
    var landedByteCount = 0

    init(_ socket: consuming OwnedDescriptor) {
        self.socket = socket
        output.descriptorsWaitForReader = true
    }

    deinit { socket.hangUp() }

    /// The connection that DMA_READ and DMA_WRITE go over.
    var forTransfers: ServerConnection { twin ?? self }

    /// Something that the client has not taken.
    var isPending: Bool { output.isPending || (twin?.output.isPending ?? false) }

    func receive() throws(TransportError) -> Int { try input.receive(from: socket) }

    func next() throws(TransportError) -> IncomingMessage? { try input.next(&descriptors) }

    func flush() throws(TransportError) -> Bool { try output.flush(to: socket) }
}
