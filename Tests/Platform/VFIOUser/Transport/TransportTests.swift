// Messages over a real socket pair: in pieces, many at once, with descriptors, and until nothing fits any more.

import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct TransportTests {
    private final class Line {
        let near: OwnedDescriptor
        let far: OwnedDescriptor
        var input = MessageInput()
        var output = MessageOutput()
        var descriptors = MessageDescriptors()
        var witness = DescriptorWitness()

        init() throws {
            let pair = try UnixSocket.pair()
            near = pair.first
            far = pair.second
        }

        func append(_ identifier: UInt16, payload: Int, descriptors: Int = 0) throws {
            let start = output.buffer.begin(.command(.mapDMA, identifier: identifier))
            for index in 0..<payload { output.buffer.append(UInt8(truncatingIfNeeded: index)) }
            output.buffer.finish(start)
            for _ in 0..<descriptors { output.attach(try witness.copy(), toMessageAt: start) }
        }

        func flush() throws -> Bool { try output.flush(to: near) }

        var sendCount: UInt64 { output.sendCount }
        var isPending: Bool { output.isPending }
        var isInsideMessage: Bool { input.isInsideMessage }
        func allClosed() -> Bool { witness.allClosed() }
        func someOpen() -> Bool { witness.someOpen() }

        /// Whether there was a descriptor to take.
        func take(_ index: Int) -> Bool { descriptors.take(index) != nil }

        func receive() throws -> Int { try input.receive(from: far) }

        func byte(_ message: IncomingMessage, _ offset: Int) -> UInt8 {
            // SAFETY: the callers stay inside.
            input.withPayload(of: message) { unsafe $0.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
        }

        /// The identifier of the next message, and how many descriptors came with it.
        func next() throws -> (UInt16, Int)? {
            guard let message = try input.next(&descriptors) else { return nil }
            #expect(input.withPayload(of: message) { $0.byteCount } == Int(message.header.messageSize) - 16)
            return (message.header.identifier, descriptors.count)
        }
    }

    @Test func manyMessagesComeWithOneReceive() throws {
        let line = try Line()
        for identifier in 0..<100 { try line.append(UInt16(identifier), payload: identifier) }
        #expect(try line.flush())
        #expect(line.sendCount == 1)
        _ = try line.receive()
        for identifier in 0..<100 { #expect(try line.next()?.0 == UInt16(identifier)) }
        #expect(try line.next() == nil)
        #expect(try line.receive() == 0)
    }

    /// Every split of two messages into two sends.
    @Test func messagesInPieces() throws {
        let whole = bytes { buffer in
            for identifier in 1...2 {
                let start = buffer.begin(.command(.version, identifier: UInt16(identifier)))
                buffer.append(UInt64(identifier))
                buffer.finish(start)
            }
        }
        for split in 1..<whole.count {
            let line = try Line()
            var found: [UInt16] = []
            for part in [whole[..<split], whole[split...]] {
                let sent = unsafe part.withUnsafeBytes { unsafe write(line.near.raw, $0.baseAddress, $0.count) }
                #expect(sent == part.count)
                _ = try line.receive()
                while let message = try line.next() { found.append(message.0) }
            }
            #expect(found == [1, 2], "split at \(split)")
        }
    }

    @Test func descriptorsStayWithTheirMessage() throws {
        let line = try Line()
        try line.append(1, payload: 10)
        try line.append(2, payload: 10, descriptors: 3)
        try line.append(3, payload: 10)
        try line.append(4, payload: 10, descriptors: 16)
        try line.append(5, payload: 0, descriptors: 1)
        #expect(try line.flush())
        var found: [Int] = []
        while found.count < 5, try line.receive() > 0 {
            while let message = try line.next() { found.append(message.1) }
        }
        #expect(found == [0, 3, 0, 16, 1])
    }

    @Test func unusedDescriptorsAreClosed() throws {
        let line = try Line()
        try line.append(1, payload: 0, descriptors: 4)
        #expect(try line.flush())
        _ = try line.receive()
        #expect(try line.next()?.1 == 4)
        #expect(line.take(0))
        #expect(!line.take(0), "taken already")
        #expect(!line.take(4))
        #expect(line.someOpen())
        #expect(try line.next() == nil)
        #expect(line.allClosed())
    }

    @Test func descriptorsOfAMessageThatNeverEndsAreClosed() throws {
        var witness = DescriptorWitness()
        do {
            let line = try Line()
            let start = line.output.buffer.begin(
                MessageHeader(identifier: 1, command: 2, messageSize: 100, flags: 0)
            )
            line.output.attach(try witness.copy(), toMessageAt: start)
            #expect(try line.flush())
            _ = try line.receive()
            #expect(try line.next() == nil)
            #expect(line.isInsideMessage)
        }
        let closed = witness.allClosed()
        #expect(closed)
    }

    @Test func moreDescriptorsThanAgreedEndTheConnection() throws {
        let line = try Line()
        // One message in two parts, 10 descriptors with each.
        for part in 0..<2 {
            let start =
                part == 0
                ? line.output.buffer.begin(MessageHeader(identifier: 1, command: 2, messageSize: 32, flags: 0))
                : line.output.buffer.count
            // To the output it is a message of its own: 16 bytes, as its second word says.
            if part == 1 { for word in [UInt64(16) << 32, 0] { line.output.buffer.append(word) } }
            for _ in 0..<10 { line.output.attach(try line.witness.copy(), toMessageAt: start) }
            #expect(try line.flush())
            _ = try line.receive()
            if part == 0 { #expect(try line.next() == nil) }
        }
        #expect(throws: TransportError.tooManyDescriptors) { try line.next() }
        line.descriptors.removeAll()
        #expect(line.allClosed())
    }

    /// The buffer grows to the largest message that is followed, and its bytes arrive whole.
    @Test func aLargeMessage() throws {
        let line = try Line()
        let payload = MessageInput.mostMessageBytes - MessageHeader.byteCount
        try line.append(1, payload: payload)
        try line.append(2, payload: 3)
        var found: [UInt16] = []
        while found.count < 2 {
            _ = try line.flush()
            _ = try line.receive()
            while let message = try line.input.next(&line.descriptors) {
                found.append(message.header.identifier)
                for offset in stride(from: 0, to: Int(message.header.messageSize) - 16, by: 4093) {
                    #expect(line.byte(message, offset) == UInt8(truncatingIfNeeded: offset))
                }
            }
        }
        #expect(found == [1, 2])
    }

    @Test(arguments: [UInt32(0), 15, UInt32(MessageInput.mostMessageBytes + 1), .max])
    func aSizeThatNoMessageHas(_ size: UInt32) throws {
        let line = try Line()
        let header = bytes { MessageHeader(identifier: 1, command: 1, messageSize: size, flags: 0).write(to: &$0) }
        let sent = unsafe header.withUnsafeBytes { unsafe write(line.near.raw, $0.baseAddress, $0.count) }
        #expect(sent == 16)
        _ = try line.receive()
        #expect(throws: TransportError.badMessageSize(size)) { try line.next() }
    }

    @Test func theEndOfTheStream() throws {
        let line = try Line()
        #expect(shutdown(line.near.raw, Int32(SHUT_RDWR)) == 0)
        #expect(throws: TransportError.closed) { try line.receive() }
        try line.append(1, payload: 1)
        #expect(throws: TransportError.closed) { try line.flush() }
    }

    /// A peer that does not read: nothing waits, and nothing is lost.
    @Test func aSlowReader() throws {
        let line = try Line()
        var count = 0
        while true {
            try line.append(UInt16(count), payload: 4000)
            count += 1
            if try !line.flush() { break }
        }
        #expect(line.isPending)
        var next = 0
        while next < count {
            _ = try line.receive()
            while let message = try line.next() {
                #expect(message.0 == UInt16(next))
                next += 1
            }
            _ = try line.flush()
        }
        #expect(!line.isPending)
    }

    @Test func listeningReplacesWhatADeadServerLeft() throws {
        let path = "/tmp/doorbell-test-\(getpid())-listen.sock"
        defer { unsafe unlink(path) }
        do { _ = try UnixSocket.listen(path: path) }
        let listener = try UnixSocket.listen(path: path)
        #expect(throws: SystemError.self, "somebody listens there") { _ = try UnixSocket.listen(path: path) }
        #expect(throws: SystemError.self) { _ = try UnixSocket.listen(path: String(repeating: "x", count: 200)) }
        // The look at whether it is alive has left a client behind.
        _ = try UnixSocket.accept(listener)
        #expect(throws: SystemError("accept", code: EAGAIN)) { _ = try UnixSocket.accept(listener) }
        _ = try UnixSocket.connect(path: path)
        _ = try UnixSocket.accept(listener)
    }
}
