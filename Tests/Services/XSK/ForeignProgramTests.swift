// A C program in another process, written to the kernel's header, on one end; the test as driver on the other. What one
// writes the other reads, through nothing but inherited descriptors and the ABI's offsets.

import Glibc
import Memory
import Testing
import XSK

@Suite struct ForeignProgramTests {
    @Test(.enabled(if: HeaderCheck.includeFolder != nil, HeaderCheck.whyNot), arguments: [UInt32(16), 32])
    func aProgramInCSendsAndReceives(metadata: UInt32) throws {
        let umem = try makeUMEM(metadata: metadata)
        let socket = try makeSocket(umem)
        var pool = try socket.takePool()
        let registration = UMEMRegistration(
            byteCount: umem.byteCount,
            chunkSize: UInt32(umem.chunkSize),
            flags: .transmitMetadataLength,
            transmitMetadataLength: metadata
        )
        let program = try CProgram("program.c")
        var child = try program.start(
            input: bytes(of: socket.mapOffsets) + bytes(of: registration) + bytes(of: socket.ringSizes.transmit),
            descriptors: [
                socket.fileDescriptor(of: .transmit), umem.memory.fileDescriptor, socket.wakeDescriptor,
            ]
        )

        // The kick, or the end of a program that could not go on.
        var waits = [
            pollfd(fd: pool.wakeDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: child.output, events: 0, revents: 0),
        ]
        _ = unsafe poll(&waits, 2, -1)
        try #require(pool.consumeKick() == true)

        let frames = pool.peek()
        try #require(frames.count == 6)
        for (index, frame) in frames.enumerated() {
            #expect(frame.address == UInt64(index * 2048) + UInt64(metadata))
            let data = [UInt8](repeating: UInt8(index), count: 60 + index)
            #expect(umem.read(at: frame.address, length: Int(frame.length)) == data)
            #expect(frame.request == (index % 2 == 1 ? .timestamp : []))
        }
        // Plain frames first; of the others one is stamped, one is not, one is stamped.
        let order = [0, 2, 4, 1, 3, 5]
        pool.writeStamp(.stamped(nanoseconds: 1_000_000_001), for: frames[1].address)
        pool.writeStamp(.timedOut, for: frames[3].address)
        pool.writeStamp(.stamped(nanoseconds: .max), for: frames[5].address)
        for index in order { pool.complete(frames[index].address) }
        pool.publishCompletions()

        let chunks = pool.take()
        #expect(chunks == (6...8).map { $0 * 2048 })
        for (index, chunk) in chunks.enumerated() {
            let data = [UInt8](repeating: 3, count: 64 + index)
            // SAFETY: see UMEMTests.
            let written = unsafe umem.write(data.span.bytes, at: chunk + 256)
            #expect(written)
            let delivered = pool.deliver(address: chunk + 256, length: UInt32(data.count))
            #expect(delivered)
        }
        pool.publishReceived()

        let printed = child.readToEnd().split(separator: "\n").map(String.init)
        #expect(child.wait() == 0)
        let stamps: [UInt64] = [0, 0, 0, 1_000_000_001, 0, .max]
        var expected = ["need-wakeup 1"]
        for (index, stamp) in zip(order, stamps) { expected.append("completed \(frames[index].address) \(stamp)") }
        for (index, chunk) in chunks.enumerated() {
            expected.append("received \(chunk + 256) \(64 + index) \(3 * (64 + index))")
        }
        #expect(printed == expected)
        #expect(pool.outstandingTransmitFrames == 0)
        #expect(pool.outstandingReceiveChunks == 0)
    }

    /// The value as C has it in memory.
    private func bytes<T: BitwiseCopyable>(of value: T) -> [UInt8] {
        // SAFETY: a structure of fixed-width fields without padding; the header check compares its layout.
        unsafe withUnsafeBytes(of: value) { unsafe [UInt8]($0) }
    }
}
