// A program with an AF_XDP socket, worked by hand.

import Leases
import Memory
import Rings
import XSK

/// A socket with its program's end, on a umem with room for the status word.
public struct Program: ~Copyable {
    public static let metadataBytes = 32
    public let socket: XSKSocket
    public var end: XSKProgram

    /// Whether a chunk is lent to receive into again once its frame was taken.
    private let refills: Bool

    public init(
        chunkBytes: Int = 4096,
        chunks: Int = 64,
        rings: XSKRingSizes = XSKRingSizes(),
        refills: Bool = false,
        census: Census
    ) throws {
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
        self.refills = refills
    }

    /// Where the frame of a chunk starts.
    public func address(_ chunk: Int) -> UInt64 {
        UInt64(chunk * socket.umem.chunkSize + Self.metadataBytes)
    }

    /// Submits a frame in `chunk`, asking for a stamp or not.
    public mutating func send(_ frame: [UInt8], chunk: Int, stamped: Bool = false) {
        let address = address(chunk)
        // SAFETY: bytes have no padding.
        _ = unsafe socket.umem.write(frame.span.bytes, at: address)
        if stamped { _ = end.requestStamp(at: address) }
        _ = end.put(
            XSKDescriptor(address: address, length: UInt32(frame.count), options: stamped ? .transmitMetadata : [])
        )
        end.submit()
    }

    /// Chunks whose frames are done with, in the order of their completions.
    public mutating func completions() -> [Int] {
        var all: [Int] = []
        var addresses = InlineArray<32, UInt64>(repeating: 0)
        while true {
            let count = end.reapCompletions(&addresses, limit: 32)
            guard count > 0 else { return all }
            for index in 0..<count { all.append(Int(addresses[index]) / socket.umem.chunkSize) }
        }
    }

    /// How the request of a chunk's frame ended.
    public func outcome(_ chunk: Int) -> TransmitStampOutcome? { end.stamp(of: address(chunk)) }

    /// Lends chunks to receive into.
    public mutating func provide(_ chunks: Range<Int>) {
        for chunk in chunks { _ = end.provideFill(UInt64(chunk * socket.umem.chunkSize)) }
        end.submitFill()
    }

    /// Frames received since the last call, with what the driver wrote before them.
    public mutating func received() -> [(frame: [UInt8], metadata: XSKReceiveMetadata?)] {
        var all: [([UInt8], XSKReceiveMetadata?)] = []
        var descriptors = XSKReceiveBurst()
        while true {
            let count = end.receive(&descriptors, limit: 32)
            guard count > 0 else { return all }
            for index in 0..<count {
                let descriptor = descriptors[index]
                let frame = socket.umem.read(at: descriptor.address, length: Int(descriptor.length)) ?? []
                all.append((frame, socket.umem.receiveMetadata(before: descriptor.address)))
                if refills { _ = end.provideFill(descriptor.address) }
            }
            if refills { end.submitFill() }
        }
    }
}
