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
    /// Refusals that were logged; a client cannot fill the log.
    var loggedRefusals = 0

    init(_ socket: consuming OwnedDescriptor) {
        self.socket = socket
        output.descriptorsWaitForReader = true
    }

    func receive() throws(TransportError) -> Int { try input.receive(from: socket) }

    func next() throws(TransportError) -> IncomingMessage? { try input.next(&descriptors) }

    func flush() throws(TransportError) -> Bool { try output.flush(to: socket) }
}
