// What the XSK tests share: sockets of any shape, and the rings as a stranger with the file descriptor maps them.

import Glibc
import Leases
import Memory
import Rings
import Testing
import XSK

/// A umem of `chunks` chunks.
func makeUMEM(chunks: Int = 16, chunkSize: UInt32 = 2048, headroom: UInt32 = 0, metadata: UInt32 = 0) throws -> UMEM {
    let byteCount = chunks * Int(chunkSize)
    return try UMEM(
        memory: SharedMemory(byteCount: byteCount, name: "doorbell-test-umem"),
        UMEMRegistration(
            byteCount: UInt64(byteCount),
            chunkSize: chunkSize,
            headroom: headroom,
            flags: metadata == 0 ? [] : .transmitMetadataLength,
            transmitMetadataLength: metadata
        )
    )
}

/// A socket whose four rings have `size` entries and start at `firstIndex`.
func makeSocket(
    _ umem: UMEM,
    size: UInt32 = 8,
    flags: XSKBindFlags = [.zeroCopy, .useNeedWakeup],
    census: Census = Census(),
    firstIndex: UInt32 = 0
) throws -> XSKSocket {
    let rings = XSKRingSizes(receive: size, transmit: size, fill: size, completion: size)
    return try XSKSocket(umem: umem, rings: rings, flags: flags, census: census, firstIndex: firstIndex)
}

extension XSKProgram {
    /// Puts and submits one descriptor; whether there was room.
    mutating func send(_ address: UInt64, length: UInt32 = 64, options: XSKDescriptorOptions = []) -> Bool {
        let sent = put(XSKDescriptor(address: address, length: length, options: options))
        submit()
        return sent
    }

    /// All completions that are there.
    mutating func reapAll() -> [UInt64] {
        var all: [UInt64] = []
        var burst = InlineArray<32, UInt64>(repeating: 0)
        while true {
            let count = reapCompletions(&burst, limit: 32)
            guard count > 0 else { return all }
            for index in 0..<count { all.append(burst[index]) }
        }
    }

    /// All received frames that are there.
    mutating func receiveAll() -> [XSKDescriptor] {
        var all: [XSKDescriptor] = []
        var burst = XSKReceiveBurst()
        while true {
            let count = receive(&burst, limit: 32)
            guard count > 0 else { return all }
            for index in 0..<count { all.append(burst[index]) }
        }
    }

    /// Lends one chunk; whether there was room.
    mutating func lend(_ address: UInt64) -> Bool {
        let lent = provideFill(address)
        submitFill()
        return lent
    }
}

extension XSKPool {
    /// One burst of frames to send.
    mutating func peek(_ limit: Int = 32) -> [XSKTransmitFrame] {
        var burst = XSKTransmitBurst()
        let count = peekTransmit(&burst, limit: limit)
        return (0..<count).map { burst[$0] }
    }

    /// One burst of chunks.
    mutating func take(_ limit: Int = 32) -> [UInt64] {
        var burst = InlineArray<32, UInt64>(repeating: 0)
        let count = takeFill(&burst, limit: limit)
        return (0..<count).map { burst[$0] }
    }

    /// Completes and publishes one frame.
    mutating func finish(_ address: UInt64) {
        complete(address)
        publishCompletions()
    }
}

/// A ring as somebody else with the descriptor sees it: mapped by the ABI's offsets, its words open to any lie.
@safe struct ForeignRing: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let offsets: XSKRingOffset

    init(_ ring: XSKRing, of socket: XSKSocket) throws {
        let count = socket.byteCount(of: ring)
        let file = socket.fileDescriptor(of: ring)
        let address = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file, Int(ring.mapOffset))
        let mapped = unsafe try #require(address != MAP_FAILED ? address : nil, "mmap of the \(ring) ring")
        unsafe base = mapped
        byteCount = count
        switch ring {
        case .receive: offsets = socket.mapOffsets.receive
        case .transmit: offsets = socket.mapOffsets.transmit
        case .fill: offsets = socket.mapOffsets.fill
        case .completion: offsets = socket.mapOffsets.completion
        }
    }

    // SAFETY: mapped by `init`; the offsets below are inside.
    deinit { unsafe munmap(base, byteCount) }

    var producer: UInt32 {
        get { unsafe base.load(fromByteOffset: Int(offsets.producer), as: UInt32.self) }
        nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: Int(offsets.producer), as: UInt32.self) }
    }

    var consumer: UInt32 {
        get { unsafe base.load(fromByteOffset: Int(offsets.consumer), as: UInt32.self) }
        nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: Int(offsets.consumer), as: UInt32.self) }
    }

    var flags: UInt32 {
        get { unsafe base.load(fromByteOffset: Int(offsets.flags), as: UInt32.self) }
    }

    func descriptor(_ index: Int) -> XSKDescriptor {
        unsafe base.load(fromByteOffset: Int(offsets.entries) + index * 16, as: XSKDescriptor.self)
    }

    func write(_ descriptor: XSKDescriptor, at index: Int) {
        unsafe base.storeBytes(of: descriptor, toByteOffset: Int(offsets.entries) + index * 16, as: XSKDescriptor.self)
    }

    func address(_ index: Int) -> UInt64 {
        unsafe base.load(fromByteOffset: Int(offsets.entries) + index * 8, as: UInt64.self)
    }
}
