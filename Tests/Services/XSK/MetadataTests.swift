// The words before a frame: what a program asks for, what it finds there afterwards, and what is ignored.

import Testing
import XSK

@Suite struct MetadataTests {
    /// The first frame of chunk 1, behind metadata of `length` bytes.
    private func address(_ length: Int) -> UInt64 { UInt64(2048 + length) }

    /// The 64-bit word `offset` bytes into the metadata of the frame at `address`.
    private func word(_ umem: UMEM, _ address: UInt64, _ offset: Int) throws -> UInt64 {
        let start = address - UInt64(umem.transmitMetadataLength) + UInt64(offset)
        let bytes = try #require(umem.read(at: start, length: 8))
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func setWord(_ umem: UMEM, _ address: UInt64, _ offset: Int, _ value: UInt64) throws {
        let start = address - UInt64(umem.transmitMetadataLength) + UInt64(offset)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        // SAFETY: see UMEMTests.
        let written = unsafe umem.write(bytes.span.bytes, at: start)
        try #require(written)
    }

    @Test(arguments: [16, 24, 32, 40, 248])
    func aStampArrives(length: Int) throws {
        let umem = try makeUMEM(metadata: UInt32(length))
        let socket = try makeSocket(umem)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        let requested = program.requestStamp(at: address(length))
        #expect(requested)
        _ = program.send(address(length), options: .transmitMetadata)
        let frame = try #require(pool.peek().first)
        #expect(frame.request == .timestamp)

        pool.writeStamp(.stamped(nanoseconds: 1_234_567_890_123), for: frame.address)
        pool.finish(frame.address)
        #expect(program.reapAll() == [address(length)])
        #expect(program.stamp(of: address(length)) == .stamped(nanoseconds: 1_234_567_890_123))
        let word = try word(umem, address(length), 8)
        #expect(word == 1_234_567_890_123)
    }

    /// The kernel leaves whatever was in the field; here a request that ends without a stamp says so.
    @Test(arguments: [TransmitStampOutcome.noSlot, .timedOut, .tornDown, .disabled])
    func noStampIsNeverAnOldStamp(outcome: TransmitStampOutcome) throws {
        for length in [16, 24, 32] {
            let umem = try makeUMEM(metadata: UInt32(length))
            let socket = try makeSocket(umem)
            var program = try socket.takeProgram()
            var pool = try socket.takePool()
            _ = program.requestStamp(at: address(length))
            try setWord(umem, address(length), 8, 0xDEAD_BEEF)
            _ = program.send(address(length), options: .transmitMetadata)
            let frame = try #require(pool.peek().first)
            pool.writeStamp(outcome, for: frame.address)
            pool.finish(frame.address)
            #expect(try word(umem, address(length), 8) == 0)
            #expect(program.stamp(of: address(length)) == (length >= 32 ? outcome : nil))
        }
    }

    @Test func theStatusWordIsWrittenOnlyWhereItsRoomIs() throws {
        for length in [16, 24] {
            let umem = try makeUMEM(metadata: UInt32(length))
            let pool = try makeSocket(umem).takePool()
            // Where the status would be lies the frame.
            try setWord(umem, address(length), 24, 0x5555_5555_5555_5555)
            pool.writeStamp(.timedOut, for: address(length))
            #expect(try word(umem, address(length), 24) == 0x5555_5555_5555_5555)
        }
    }

    @Test(arguments: [
        (TransmitStampOutcome.stamped(nanoseconds: 0), UInt64(1)), (.noSlot, 2), (.timedOut, 3), (.tornDown, 4),
        (.disabled, 5),
    ])
    func eachOutcomeHasItsWord(outcome: TransmitStampOutcome, status: UInt64) throws {
        let umem = try makeUMEM(metadata: 32)
        let socket = try makeSocket(umem)
        let pool = try socket.takePool()
        let program = try socket.takeProgram()
        pool.writeStamp(outcome, for: address(32))
        #expect(try word(umem, address(32), 24) == status)
        #expect(program.stamp(of: address(32)) == outcome)
    }

    @Test(arguments: [UInt64(0), 6, .max])
    func aStatusThatIsNoneIsNoOutcome(status: UInt64) throws {
        let umem = try makeUMEM(metadata: 32)
        let program = try makeSocket(umem).takeProgram()
        try setWord(umem, address(32), 24, status)
        #expect(program.stamp(of: address(32)) == nil)
    }

    @Test func metadataWithoutItsOptionIsNotLookedAt() throws {
        let umem = try makeUMEM(metadata: 16)
        let socket = try makeSocket(umem)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        // What an earlier user of the chunk left: Linux 6.12 stamps such a frame by surprise.
        _ = program.requestStamp(at: address(16))
        _ = program.send(address(16))
        let frame = try #require(pool.peek().first)
        #expect(frame.request == [])
        #expect(socket.diagnostics.invalidMetadata == 0)
    }

    @Test(arguments: [UInt64(8), 1 << 63, .max, 0x100])
    func unknownFlagsMakeTheMetadataIgnored(flags: UInt64) throws {
        let umem = try makeUMEM(metadata: 32)
        let socket = try makeSocket(umem)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        try setWord(umem, address(32), 0, flags)
        _ = program.send(address(32), options: .transmitMetadata)
        let frame = try #require(pool.peek().first)
        #expect(frame.request == [])
        #expect(socket.diagnostics.invalidMetadata == 1)
        #expect(socket.statistics.transmitInvalidDescriptors == 0)
    }

    @Test func requestsOfAllKindsArrive() throws {
        let umem = try makeUMEM(metadata: 24)
        let socket = try makeSocket(umem)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        let words = XSKMetadataRequest(checksumStart: 34, checksumOffset: 16, launchTime: 0x0102_0304_0506_0708)
        let all: XSKTransmitRequest = [.timestamp, .checksum, .launchTime]
        let written = program.write(all, words, at: address(24))
        #expect(written)
        _ = program.send(address(24), options: .transmitMetadata)
        let frame = try #require(pool.peek().first)
        #expect(frame.request == all)
        #expect(pool.metadataRequest(of: frame) == words)
        // Words that were not asked for are not read.
        let none = XSKMetadataRequest(checksumStart: 0, checksumOffset: 0, launchTime: 0)
        let plain = XSKTransmitFrame(address: frame.address, length: 60, request: .timestamp)
        #expect(pool.metadataRequest(of: plain) == none)
    }

    /// With 16 bytes of metadata the launch time would be the frame's first bytes.
    @Test func aLaunchTimeNeedsItsRoom() throws {
        let umem = try makeUMEM(metadata: 16)
        let socket = try makeSocket(umem)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        let words = XSKMetadataRequest(checksumStart: 0, checksumOffset: 0, launchTime: 1)
        let written = program.write(.launchTime, words, at: address(16))
        #expect(!written)
        try setWord(umem, address(16), 0, UInt64(XSKTransmitRequest.launchTime.rawValue))
        _ = program.send(address(16), options: .transmitMetadata)
        let frame = try #require(pool.peek().first)
        #expect(frame.request == [])
        #expect(socket.diagnostics.invalidMetadata == 1)
    }

    @Test func framesMayStartAtAnyByte() throws {
        let umem = try makeUMEM(metadata: 32)
        let socket = try makeSocket(umem)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for odd in address(32)..<address(32) + 8 {
            _ = program.requestStamp(at: odd)
            _ = program.send(odd, options: .transmitMetadata)
            let frame = try #require(pool.peek().first)
            #expect(frame.request == .timestamp)
            pool.writeStamp(.stamped(nanoseconds: odd), for: odd)
            pool.finish(odd)
            #expect(program.reapAll() == [odd])
            #expect(program.stamp(of: odd) == .stamped(nanoseconds: odd))
        }
    }

    @Test func nothingIsWrittenOutsideTheUMEM() throws {
        let umem = try makeUMEM(metadata: 32)
        let socket = try makeSocket(umem)
        let program = try socket.takeProgram()
        let pool = try socket.takePool()
        let before = umem.read(at: 0, length: Int(umem.byteCount))
        for address in [0, 31, umem.byteCount + 1, umem.byteCount + 32, .max] as [UInt64] {
            pool.writeStamp(.stamped(nanoseconds: .max), for: address)
            let requested = program.requestStamp(at: address)
            #expect(!requested)
            #expect(program.stamp(of: address) == nil)
        }
        #expect(umem.read(at: 0, length: Int(umem.byteCount)) == before)
    }

    @Test func withoutMetadataThereIsNothingToWrite() throws {
        let umem = try makeUMEM()
        let socket = try makeSocket(umem)
        let program = try socket.takeProgram()
        let pool = try socket.takePool()
        pool.writeStamp(.stamped(nanoseconds: .max), for: 2048)
        let requested = program.requestStamp(at: 2048)
        #expect(!requested)
        #expect(umem.read(at: 0, length: 4096) == [UInt8](repeating: 0, count: 4096))
    }
}
