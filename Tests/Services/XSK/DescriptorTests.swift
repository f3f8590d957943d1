// Each rule by which the kernel calls a Tx descriptor invalid (`xp_aligned_validate_desc`): counted, swallowed without a
// completion, and the end of the batch.

import Rings
import Testing
import XSK

@Suite struct DescriptorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let descriptor: XSKDescriptor
        let metadata: UInt32
        let valid: Bool

        init(
            _ name: String,
            _ address: UInt64,
            _ length: UInt32,
            _ options: UInt32 = 0,
            metadata: UInt32 = 0,
            valid: Bool = false
        ) {
            self.name = name
            descriptor = XSKDescriptor(address: address, length: length, options: .init(rawValue: options))
            self.metadata = metadata
            self.valid = valid
        }

        var testDescription: String { name }
    }

    /// In a umem of 4 chunks of 2048 bytes.
    static let cases = [
        Case("a whole chunk", 2048, 2048, valid: true),
        Case("the last byte", 8191, 1, valid: true),
        Case("anywhere in a chunk", 2049, 2047, valid: true),
        Case("no bytes", 2048, 0),
        Case("one byte more than a chunk", 2048, 2049),
        Case("across two chunks", 4095, 2),
        Case("length of all ones", 0, .max),
        Case("the first byte behind the umem", 8192, 1),
        Case("far behind the umem", 1 << 40, 60),
        Case("address of all ones", .max, 1),
        Case("address and length wrap", .max - 59, 60),
        Case("a continued frame", 2048, 60, 1),
        Case("an unknown option", 2048, 60, 4),
        Case("all options", 2048, 60, .max),
        Case("the metadata option where there is no metadata", 2048, 60, 2, valid: true),
        Case("room for metadata", 2048 + 32, 2016, metadata: 32, valid: true),
        Case("room for metadata, with its option", 2048 + 32, 2016, 2, metadata: 32, valid: true),
        Case("metadata in the chunk before", 2048 + 31, 60, metadata: 32),
        Case("metadata before the umem", 31, 60, metadata: 32),
        Case("metadata before address 0", 0, 60, metadata: 32),
        Case("metadata and data one byte too long", 2048 + 32, 2017, metadata: 32),
    ]

    @Test(arguments: cases)
    func isJudgedAsByTheKernel(test: Case) throws {
        let socket = try makeSocket(makeUMEM(chunks: 4, metadata: test.metadata))
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        _ = program.put(test.descriptor)
        let behind = UInt64(6144 + test.metadata)
        _ = program.put(XSKDescriptor(address: behind, length: 60))
        program.submit()

        let frames = pool.peek()
        if test.valid {
            #expect(frames.map(\.address) == [test.descriptor.address, behind])
            #expect(frames.first?.length == test.descriptor.length)
            #expect(socket.statistics.transmitInvalidDescriptors == 0)
        } else {
            // It ends the batch; what is behind it comes with the next.
            #expect(frames.isEmpty)
            #expect(pool.peek().map(\.address) == [behind])
            #expect(socket.statistics.transmitInvalidDescriptors == 1)
        }
        for address in test.valid ? [test.descriptor.address, behind] : [behind] { pool.complete(address) }
        pool.publishCompletions()
        #expect(pool.outstandingTransmitFrames == 0)
        let reaped = program.reapAll()
        #expect(reaped == (test.valid ? [test.descriptor.address, behind] : [behind]))
    }

    @Test func aBatchBeforeAnInvalidDescriptorIsSent() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for address: UInt64 in [0, 2048, .max, 4096] { _ = program.put(XSKDescriptor(address: address, length: 60)) }
        program.submit()
        #expect(pool.peek().map(\.address) == [0, 2048])
        #expect(pool.peek().map(\.address) == [4096])
        #expect(pool.outstandingTransmitFrames == 3)
    }

    @Test func aRingFullOfInvalidDescriptorsIsWorkedOff() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for _ in 0..<8 { _ = program.send(.max) }
        for _ in 0..<8 { #expect(pool.peek().isEmpty) }
        #expect(socket.statistics.transmitInvalidDescriptors == 8)
        let sent = program.send(2048)
        #expect(sent)
        #expect(pool.peek().map(\.address) == [2048])
    }
}
