// A driver on a real model, on one thread and virtual time, with the far end of the wire in the test's hands.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import I225Wire
import Leases
import Memory
import Rings
import XSK

/// A virtual I225, its wire, its clock, and the count of what is on loan.
final class Rig {
    let clock = VirtualClock(startNanoseconds: 1_000_000_000)
    let census = Census()
    let model: I225Model
    let backing: CardBacking
    var farEnd: WirePort

    init(_ options: I225Options = I225Options()) {
        let pair = WirePair()
        model = I225Model(options: options, port: pair.first, clock: .virtual(clock))
        do {
            backing = try CardBacking(model, name: "test:i225", census: census)
        } catch {
            preconditionFailure("no way to the card: \(error)")
        }
        farEnd = pair.second
    }

    /// A card with the default options, changed.
    convenience init(_ change: (inout I225Options) -> Void) {
        var options = I225Options()
        change(&options)
        self.init(options)
    }

    func open(_ configuration: I225Configuration = I225Configuration()) throws -> I225Device<CardBacking> {
        try I225Device(backing, configuration, clock: .virtual(clock), census: census)
    }

    func open<Backing: PCIeBacking>(
        on backing: Backing,
        _ configuration: I225Configuration = I225Configuration()
    ) throws -> I225Device<Backing> {
        try I225Device(backing, configuration, clock: .virtual(clock), census: census)
    }

    /// Lets the model do everything that is due now.
    func settle() {
        repeat { while model.poll() {} } while backing.carryMemory()
    }

    /// Lets the model act, moves time, and lets it act again.
    func advance(nanoseconds: UInt64) {
        settle()
        clock.advance(nanoseconds: nanoseconds)
        settle()
    }

    /// All frames that have arrived at the far end.
    func arrivals() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = farEnd.receive.receive() { frames.append(frame) }
        return frames
    }

    /// Frames at the far end with the card's time at which they were on the wire.
    func timedArrivals() -> [(frame: [UInt8], deviceTime: UInt64)] {
        var frames: [([UInt8], UInt64)] = []
        while let view = unsafe farEnd.receive.peek() {
            let wireTime = unsafe view.wireTime
            guard let frame = farEnd.receive.receive() else { break }
            frames.append((frame, model.deviceTime(atHostTime: wireTime)))
        }
        return frames
    }

    /// Sends a frame from the far end.
    func send(_ frame: [UInt8]) -> Bool {
        // SAFETY: bytes have no padding, here and below.
        unsafe farEnd.transmit.send(frame.span.bytes, wireTime: clock.now)
    }
}

/// A socket with its program's end, on a umem with room for the status word.
struct Program: ~Copyable {
    static let metadataBytes = 32
    let socket: XSKSocket
    var end: XSKProgram

    init(chunkBytes: Int = 4096, chunks: Int = 64, rings: XSKRingSizes = XSKRingSizes(), census: Census) throws {
        let byteCount = chunkBytes * chunks
        let umem = try UMEM(
            memory: SharedMemory(byteCount: byteCount, name: "test-umem"),
            UMEMRegistration(
                byteCount: UInt64(byteCount),
                chunkSize: UInt32(chunkBytes),
                flags: .transmitMetadataLength,
                transmitMetadataLength: UInt32(Self.metadataBytes)
            )
        )
        let socket = try XSKSocket(umem: umem, rings: rings, census: census)
        let end = try socket.takeProgram()
        self.socket = socket
        self.end = end
    }

    /// Where the frame of a chunk starts.
    func address(_ chunk: Int) -> UInt64 {
        UInt64(chunk * socket.umem.chunkSize + Self.metadataBytes)
    }

    /// Submits a frame in `chunk`, asking for a stamp or not.
    mutating func send(_ frame: [UInt8], chunk: Int, stamped: Bool = false) {
        let address = address(chunk)
        _ = unsafe socket.umem.write(frame.span.bytes, at: address)
        if stamped { _ = end.requestStamp(at: address) }
        _ = end.put(
            XSKDescriptor(address: address, length: UInt32(frame.count), options: stamped ? .transmitMetadata : [])
        )
        end.submit()
    }

    /// Chunks whose frames are done with, in the order of their completions.
    mutating func completions() -> [Int] {
        var all: [Int] = []
        var addresses = InlineArray<32, UInt64>(repeating: 0)
        while true {
            let count = end.reapCompletions(&addresses, limit: 32)
            guard count > 0 else { return all }
            for index in 0..<count { all.append(Int(addresses[index]) / socket.umem.chunkSize) }
        }
    }

    /// How the request of a chunk's frame ended.
    func outcome(_ chunk: Int) -> TransmitStampOutcome? { end.stamp(of: address(chunk)) }

    /// Lends chunks to receive into.
    mutating func provide(_ chunks: Range<Int>) {
        for chunk in chunks { _ = end.provideFill(UInt64(chunk * socket.umem.chunkSize)) }
        end.submitFill()
    }

    /// Frames received since the last call, with what the driver wrote before them.
    mutating func received() -> [(frame: [UInt8], metadata: XSKReceiveMetadata?)] {
        var all: [([UInt8], XSKReceiveMetadata?)] = []
        var descriptors = XSKReceiveBurst()
        while true {
            let count = end.receive(&descriptors, limit: 32)
            guard count > 0 else { return all }
            for index in 0..<count {
                let descriptor = descriptors[index]
                let frame = socket.umem.read(at: descriptor.address, length: Int(descriptor.length)) ?? []
                all.append((frame, socket.umem.receiveMetadata(before: descriptor.address)))
            }
        }
    }
}

/// A frame of `length` bytes whose payload says `number`.
func testFrame(_ number: UInt8, length: Int = 60) -> [UInt8] {
    var frame: [UInt8] = [0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x88, 0xB5]
    frame += (frame.count..<length).map { UInt8(truncatingIfNeeded: $0) ^ number }
    return frame
}
