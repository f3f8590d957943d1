// A program that writes nonsense into its rings: a counter for each lie, nothing else sent, and the device goes on.

import Backing
import I225Driver
import I225Model
import Memory
import Rings
import Simulation
import TestFrames
import TestQueues
import Testing
import XSK

@Suite("A hostile program on an XSK queue", .overEveryBacking)
struct XSKHostileTests {
    struct Descriptor: Sendable, CustomTestStringConvertible {
        let name: String
        let address: UInt64
        var length: UInt32 = 60
        var options: UInt32 = 0
        var testDescription: String { name }
    }

    /// A umem of 64 chunks of 4096 bytes, 32 bytes of metadata before each frame.
    private static let end: UInt64 = 64 * 4096

    @Test(
        "A descriptor that cannot be is counted, and only the good frame behind it is sent",
        arguments: [
            Descriptor(name: "behind the umem", address: end + 32),
            Descriptor(name: "at the end of the umem", address: end),
            Descriptor(name: "over the end of the umem", address: end - 59),
            Descriptor(name: "far behind the umem", address: 1 << 40),
            Descriptor(name: "in the top byte of a cookie", address: 1 << 56 | 32),
            Descriptor(name: "at 2^63", address: 1 << 63),
            Descriptor(name: "at 2^64 - 1", address: .max),
            Descriptor(name: "wrapping to the umem", address: .max - 31),
            Descriptor(name: "metadata before the umem", address: 0),
            Descriptor(name: "metadata half before the umem", address: 16),
            Descriptor(name: "metadata a byte before the umem", address: 31),
            Descriptor(name: "metadata in the chunk before", address: 4096),
            Descriptor(name: "metadata half in the chunk before", address: 4096 + 16, options: 2),
            Descriptor(name: "no bytes", address: 32, length: 0),
            Descriptor(name: "longer than its chunk", address: 32, length: 4096 - 31),
            Descriptor(name: "65535 bytes", address: 32, length: 65535),
            Descriptor(name: "4 GB", address: 32, length: .max),
            Descriptor(name: "a length that wraps with its address", address: 4096 + 4000, length: .max - 4000),
            Descriptor(name: "to be continued", address: 32, options: 1),
            Descriptor(name: "an option that nobody knows", address: 32, options: 4),
            Descriptor(name: "all options", address: 32, options: .max),
        ]
    )
    func badDescriptor(_ bad: Descriptor) throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        for round in 1...3 {
            let options = XSKDescriptorOptions(rawValue: bad.options)
            let descriptor = XSKDescriptor(address: bad.address, length: bad.length, options: options)
            #expect(program.end.put(descriptor) == true)
            program.send(testFrame(5), chunk: 5)
            for _ in 0..<3 {
                _ = queue.poll()
                rig.settle()
            }
            #expect(rig.arrivals() == [testFrame(5)])
            #expect(program.completions() == [5])
            #expect(program.socket.statistics.transmitInvalidDescriptors == UInt64(round))
        }
        #expect(rig.model.counters.dmaFaults == 0)
        #expect(rig.model.counters.malformedTransmits == 0)
    }

    @Test("A frame too short for Ethernet is completed and not sent")
    func shortFrames() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        for length in 1...13 { program.send([UInt8](repeating: 1, count: length), chunk: length) }
        program.send(testFrame(20), chunk: 20)
        for _ in 0..<2 {
            _ = queue.poll()
            rig.settle()
        }
        #expect(rig.arrivals() == [testFrame(20)])
        #expect(program.completions() == Array(1...13) + [20])
        #expect(rig.model.counters.malformedTransmits == 13)
    }

    @Test("A stamp for a frame that is not sent ends at its deadline")
    func stampOfShortFrame() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        program.send([1, 2, 3], chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: 10_000_000)
        for _ in 0..<2 { _ = queue.poll() }
        #expect(program.completions() == [0])
        #expect(program.outcome(0) == .timedOut)
    }

    @Test(
        "Unknown flags in the metadata are counted, and the frame goes out plain",
        arguments: [8, 1 << 63, .max] as [UInt64]
    )
    func unknownFlags(_ flags: UInt64) throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        write(flags, over: 0, in: program)
        let descriptor = XSKDescriptor(address: program.address(0), length: 60, options: .transmitMetadata)
        #expect(program.end.put(descriptor) == true)
        program.end.submit()
        for _ in 0..<2 {
            _ = queue.poll()
            rig.settle()
        }
        #expect(rig.arrivals().count == 1)
        #expect(program.completions() == [0])
        #expect(program.socket.diagnostics.invalidMetadata == 1)
        #expect(queue.outstandingStamps == 0)
    }

    @Test("A checksum request that points outside its frame is not done, and the frame goes out as it is")
    func checksumOutside() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        let places: [(UInt16, UInt16)] = [
            (0, 16), (13, 16), (60, 6), (55, 6), (0xFFFF, 16), (34, 0xFFFF), (34, 7), (0xFFFF, 0xFFFF),
        ]
        for (start, offset) in places {
            submit(&program, testFrame(1), start, offset)
            for _ in 0..<2 {
                _ = queue.poll()
                rig.settle()
            }
            #expect(rig.arrivals() == [testFrame(1)], "\(start), \(offset)")
            #expect(program.completions() == [0])
        }
        // One that can be done is done.
        let whole = ipv4Frame(17, udp(payload(40)))
        var frame = whole
        frame.set16(pseudoHeaderSum(17, addresses: [UInt8](whole[26..<34]), byteCount: whole.count - 34), at: 40)
        submit(&program, frame, 34, 6)
        for _ in 0..<2 {
            _ = queue.poll()
            rig.settle()
        }
        #expect(rig.arrivals() == [whole])
        #expect(rig.model.counters.malformedTransmits == 0)
    }

    @Test("A program that takes no completions stops itself, and goes on when it takes them")
    func completionRingFull() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(rings: XSKRingSizes(completion: 8), census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        for chunk in 0..<20 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: chunk % 5 == 0) }
        var (frames, done): ([[UInt8]], [Int]) = ([], [])
        for expected in [8, 16, 20] {
            for _ in 0..<10 {
                _ = queue.poll()
                rig.advance(nanoseconds: 10_000)
            }
            frames += rig.arrivals()
            #expect(frames.count == expected)
            done += program.completions()
        }
        #expect(frames == (0..<20).map { testFrame(UInt8($0)) })
        #expect(done.sorted() == Array(0..<20))
    }

    @Test("Nonsense in the fill ring is counted, and good chunks behind it are used")
    func fillRing() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        let device = try rig.open(configuration)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        let nonsense: [UInt64] = [Self.end, Self.end + 4095, 1 << 40, 1 << 63, .max, .max - 4095]
        for address in nonsense { #expect(program.end.provideFill(address) == true) }
        // Anywhere in a chunk is the chunk.
        for chunk in 0..<32 { #expect(program.end.provideFill(UInt64(chunk * 4096 + chunk * 100)) == true) }
        program.end.submitFill()
        for _ in 0..<3 { _ = queue.poll() }
        #expect(program.socket.statistics.receiveInvalidDescriptors == UInt64(nonsense.count))
        for number in 0..<20 { #expect(rig.send(testFrame(UInt8(number)))) }
        rig.settle()
        _ = queue.poll()
        #expect(program.received().map { $0.frame } == (0..<20).map { testFrame(UInt8($0)) })
        #expect(rig.model.counters.dmaFaults == 0)
    }

    @Test("One chunk lent again and again is the program's own harm: nothing else is written, nothing is lost")
    func sameChunk() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        let device = try rig.open(configuration)
        var program = try Program(census: rig.census)
        let before = program.socket.umem.read(at: 4096, length: 63 * 4096)
        do {
            var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
            for _ in 0..<200 { _ = program.end.provideFill(0) }
            program.end.submitFill()
            for number in 0..<100 {
                #expect(rig.send(testFrame(UInt8(number))))
                _ = queue.poll()
                rig.settle()
            }
            _ = queue.poll()
            #expect(program.received().count == 100)
        }
        #expect(program.socket.umem.read(at: 4096, length: 63 * 4096) == before)
        #expect(program.socket.diagnostics.lostReceiveChunks == 0)
    }

    @Test("Whatever a program puts into its Tx ring, what leaves is a piece of one of its chunks")
    func noise() throws {
        var random = SeededRandom(seed: 66)
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.maximumFrameBytes = 3072
        let device = try rig.open(configuration)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        for chunk in 0..<64 {
            let paint = [UInt8](repeating: UInt8(chunk + 1), count: 4096)
            // SAFETY: bytes have no padding.
            _ = unsafe program.socket.umem.write(paint.span.bytes, at: UInt64(chunk * 4096))
        }
        var sent = 0
        for _ in 0..<4000 {
            let address = random.next() >> UInt64.random(in: 30...60, using: &random)
            let length = UInt32(truncatingIfNeeded: random.next()) >> UInt32.random(in: 16...28, using: &random)
            // Without metadata: stamps would be written into chunks, which are to stay as they are.
            let options = Int.random(in: 0..<8, using: &random) == 0 ? UInt32(1) << 5 : 0
            _ = program.end.put(
                XSKDescriptor(address: address, length: length, options: XSKDescriptorOptions(rawValue: options))
            )
            program.end.submit()
            _ = queue.poll()
            rig.settle()
            _ = program.completions()
            for frame in rig.arrivals() {
                sent += 1
                let piece = frame.prefix { $0 != 0 }
                #expect(Set(piece).count == 1 && frame.dropFirst(piece.count).allSatisfy { $0 == 0 })
                #expect(frame.count == max(60, piece.count))
            }
        }
        #expect(sent > 100)
        #expect(rig.model.counters.dmaFaults == 0)
        _ = queue.poll()
        #expect(queue.outstandingFrames == 0)
    }

    /// Writes a word over the flags of a chunk's metadata.
    private func write(_ flags: UInt64, over chunk: Int, in program: borrowing Program) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: flags >> UInt64(8 * $0)) }
        // SAFETY: bytes have no padding.
        _ = unsafe program.socket.umem.write(bytes.span.bytes, at: program.address(chunk) - 32)
    }

    /// Submits a frame in chunk 0 with a checksum request.
    private func submit(_ program: inout Program, _ frame: [UInt8], _ start: UInt16, _ offset: UInt16) {
        let address = program.address(0)
        // SAFETY: bytes have no padding.
        _ = unsafe program.socket.umem.write(frame.span.bytes, at: address)
        let words = XSKMetadataRequest(checksumStart: start, checksumOffset: offset, launchTime: 0)
        _ = program.end.write(.checksum, words, at: address)
        _ = program.end.put(
            XSKDescriptor(address: address, length: UInt32(frame.count), options: .transmitMetadata)
        )
        program.end.submit()
    }
}
