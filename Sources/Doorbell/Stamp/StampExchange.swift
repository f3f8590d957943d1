// `doorbell stamp`: one UDP frame comes in with a hardware time, is sent back with a request for one, and both times are
// shown beside the program's own. What the kernel's xdp_hw_metadata does, on a virtual I225.

import Backing
import Clock
import Ethernet
import Glibc
import I225Driver
import I225Model
import Leases
import Memory
import PTP
import Rings
import XSK

/// The times of one exchange, in nanoseconds since 1970 by the card's clock or, for the program's own, the system's.
public struct StampExchange: Codable, JSONDocument, Sendable {
    public let receiveIndex: UInt32
    public let receiveAddress: UInt64
    public let receiveHash: UInt32
    public let receiveHashType: UInt32
    public let hardwareReceiveTime: UInt64
    public let driverReceiveTime: UInt64
    public let userReceiveTime: UInt64
    public let checksumAtStart: UInt16
    public let checksumOnWire: UInt16
    public let checksumStart: UInt16
    public let checksumOffset: UInt16
    public let transmitAddress: UInt64
    public let hardwareTransmitTime: UInt64
    public let userTransmitTime: UInt64
    /// Whether both stamps are the model's clock and the checksum on the wire is right.
    public let held: Bool

    enum Failure: Error, CustomStringConvertible {
        case nothingCame(String)
        case noStamp(String)

        var description: String {
            switch self {
            case .nothingCame(let what): "no \(what) within a second"
            case .noStamp(let outcome): "the frame came back without a stamp: \(outcome)"
            }
        }
    }

    private static let chunkBytes = 4096
    private static let metadataBytes = 32
    private static let checksumStart = 34
    private static let checksumOffset = 6

    /// Makes a card, a wire and a partner, and exchanges one frame.
    public static func run(stampDelayNanoseconds: UInt64) throws -> StampExchange {
        let census = Census()
        var options = I225Options()
        options.stampDelayNanoseconds = stampDelayNanoseconds
        let pair = WirePair()
        let cardPort = pair.first
        var partner = pair.second
        let card = VirtualI225(options, port: cardPort, farEnd: [], census: census)
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.stampsReceived = true
        let device = try card.open(configuration)
        try device.clock.setTime(PTPTime.now())

        let byteCount = 16 * chunkBytes
        let umem = try UMEM(
            memory: SharedMemory(byteCount: byteCount, name: "doorbell-umem"),
            UMEMRegistration(
                byteCount: UInt64(byteCount),
                flags: .transmitMetadataLength,
                transmitMetadataLength: UInt32(metadataBytes)
            )
        )
        let socket = try XSKSocket(umem: umem, census: census)
        var program = try socket.takeProgram()
        var queue = try device.openXSKQueue(0, try socket.takePool())
        for chunk in 0..<8 { _ = program.provideFill(UInt64(chunk * chunkBytes)) }
        program.submitFill()
        _ = queue.poll()

        // SAFETY: bytes have no padding, here and below.
        let ping = PingFrame.bytes
        _ = unsafe partner.transmit.send(ping.span.bytes, wireTime: DeviceClock.monotonic.now)
        var received = XSKReceiveBurst()
        var driverReceiveTime: UInt64 = 0
        try wait(for: "received frame") { () -> Bool in
            if queue.poll() { driverReceiveTime = systemTime() }
            return program.receive(&received, limit: 1) == 1
        }
        let userReceiveTime = systemTime()
        let metadata = umem.receiveMetadata(before: received[0].address)

        // Back to where it came from: addresses and ports change places, the sum of the header stays.
        let reply = UInt64(8 * chunkBytes + metadataBytes)
        let bytes = PingFrame.reply(to: umem.read(at: received[0].address, length: Int(received[0].length)) ?? [])
        _ = unsafe umem.write(bytes.span.bytes, at: reply)
        _ = program.write(
            [.timestamp, .checksum],
            XSKMetadataRequest(
                checksumStart: UInt16(checksumStart),
                checksumOffset: UInt16(checksumOffset),
                launchTime: 0
            ),
            at: reply
        )
        _ = program.put(XSKDescriptor(address: reply, length: UInt32(bytes.count), options: .transmitMetadata))
        program.submit()
        var completed = InlineArray<32, UInt64>(repeating: 0)
        try wait(for: "completion") { () -> Bool in
            _ = queue.poll()
            return program.reapCompletions(&completed, limit: 1) == 1
        }
        let userTransmitTime = systemTime()
        let outcome = program.stamp(of: completed[0])
        guard case .stamped(let transmitTime) = outcome else { throw Failure.noStamp("\(outcome, default: "none")") }
        var onWire: (bytes: [UInt8], wireTime: UInt64)?
        try wait(for: "frame on the wire") { () -> Bool in
            guard let frame = unsafe partner.receive.peek() else { return false }
            let wireTime = unsafe frame.wireTime
            onWire = partner.receive.receive().map { ($0, wireTime) }
            return true
        }
        let sent = onWire ?? ([], 0)
        let trueTime = card.onModelThread { card.model.deviceTime(atHostTime: sent.wireTime) }
        let field = checksumStart + checksumOffset
        return StampExchange(
            receiveIndex: 0,
            receiveAddress: received[0].address,
            receiveHash: metadata?.hash ?? 0,
            receiveHashType: metadata?.hashType ?? 0,
            hardwareReceiveTime: metadata?.timestamp ?? 0,
            driverReceiveTime: driverReceiveTime,
            userReceiveTime: userReceiveTime,
            checksumAtStart: PingFrame.word(bytes, field),
            checksumOnWire: PingFrame.word(sent.bytes, field),
            checksumStart: UInt16(checksumStart),
            checksumOffset: UInt16(checksumOffset),
            transmitAddress: completed[0],
            hardwareTransmitTime: transmitTime,
            userTransmitTime: userTransmitTime,
            held: transmitTime == trueTime && metadata != nil && PingFrame.checksumHolds(sent.bytes)
        )
    }

    private static func wait(for what: String, _ condition: () -> Bool) throws {
        let held = DeviceClock.monotonic.waitUntil(
            timeoutNanoseconds: 1_000_000_000,
            intervalNanoseconds: 1_000,
            condition
        )
        guard held else { throw Failure.nothingCame(what) }
    }

    private static func systemTime() -> UInt64 { PTPTime.now().unsignedNanoseconds ?? 0 }
}
