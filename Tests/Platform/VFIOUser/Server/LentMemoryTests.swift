// Long reads of memory that a model lends: what the client gets is what it would have got by a copy, whatever goes before
// and after it on the socket.

import Backing
import Clock
import Memory
import PCIe
import Testing
import VFIOUser
import VFIOUserTestClient

/// Memory behind BAR 0: more than a socket takes at once.
private final class MemoryDevice: PCIeModel {
    static let byteCount = 1 << 18
    let identity = PCIeIdentity(vendor: 0x1D0B, device: 2, classCode: 0x05_0000, revision: 1)
    let baseAddressRegisters = [BaseAddressRegister(index: 0, byteCount: UInt64(byteCount))]
    let vectorCount = 0
    let host = DeviceHost(clock: .virtual(VirtualClock()), vectorCount: 0, doorbellCount: 0)
    private let memory: SharedMemory
    private let isLent: Bool
    /// Reads that were not of lent memory.
    private(set) var copies = 0

    init(isLent: Bool) throws {
        self.isLent = isLent
        var memory = try SharedMemory(byteCount: Self.byteCount, name: "lent")
        var bytes = memory.mutableBytes()
        for offset in 0..<Self.byteCount {
            bytes.storeBytes(of: Self.byte(offset), toByteOffset: offset, as: UInt8.self)
        }
        self.memory = memory
    }

    static func byte(_ offset: Int) -> UInt8 { UInt8(truncatingIfNeeded: offset &* 7 &+ offset >> 8 &+ 1) }

    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { 0 }
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {}
    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {}
    func reset() {}
    func poll() -> Bool { false }
    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { nil }

    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        (0..<size.rawValue).reduce(0) { $0 | UInt64(Self.byte(Int(offset) + $1)) << UInt64(8 * $1) }
    }

    func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        copies += 1
        for place in 0..<bytes.byteCount {
            bytes.storeBytes(of: Self.byte(Int(offset) + place), toByteOffset: place, as: UInt8.self)
        }
    }

    @unsafe func memory(bar: Int, _ range: Range<UInt64>) -> UnsafeRawBufferPointer? {
        guard isLent, range.upperBound <= UInt64(Self.byteCount) else { return nil }
        // SAFETY: inside the memory, which is ours.
        return unsafe UnsafeRawBufferPointer(start: memory.base + Int(range.lowerBound), count: range.count)
    }
}

@Suite struct LentMemoryTests {
    private let served: ServedModel<MemoryDevice>
    private let long = MemoryDevice.byteCount - 64

    init() throws { served = try ServedModel(try MemoryDevice(isLent: true)) }

    private var client: RawClient { served.client }

    private func read(_ offset: UInt64, _ count: Int, noReply: Bool = false) -> [UInt8] {
        client.message(.readRegion, noReply: noReply) {
            RegionAccess(offset: offset, region: 0, count: UInt32(count)).write(to: &$0)
        }
    }

    /// The next reply is the one to a read of these bytes.
    private func expectReply(_ offset: UInt64, _ count: Int, _ location: SourceLocation = #_sourceLocation) {
        guard case .message(let reply) = client.receive(looks: 10_000) else {
            Issue.record("no reply", sourceLocation: location)
            return
        }
        let head = bytes { RegionAccess(offset: offset, region: 0, count: UInt32(count)).write(to: &$0) }
        let expected = head + (0..<count).map { MemoryDevice.byte(Int(offset) + $0) }
        #expect(reply.header.flags == MessageHeader.typeReply, sourceLocation: location)
        #expect(reply.payload == expected, sourceLocation: location)
    }

    @Test func aLongReadIsNotCopied() {
        client.send(read(32, long))
        expectReply(32, long)
        #expect(served.model.copies == 0)
    }

    @Test func whatIsNotLentIsCopied() throws {
        let served = try ServedModel(try MemoryDevice(isLent: false))
        #expect(try served.client.read(region: 0, 16, count: 1 << 16) == (16..<16 + 1 << 16).map(MemoryDevice.byte))
        #expect(served.model.copies == 1)
    }

    /// The second long one finds the place taken, and is copied.
    @Test func repliesKeepTheirOrder() {
        client.send(read(8, 4) + read(0, long) + read(4, 4) + read(64, long) + read(12, 4) + read(128, 1 << 16))
        expectReply(8, 4)
        expectReply(0, long)
        expectReply(4, 4)
        expectReply(64, long)
        expectReply(12, 4)
        expectReply(128, 1 << 16)
    }

    @Test func aReadThatNobodyWaitsForLeavesNothing() {
        client.send(read(0, long, noReply: true) + read(20, 4))
        expectReply(20, 4)
        #expect(client.receive() == .silence)
    }

    @Test func beyondTheEnd() throws {
        #expect(throws: RawRefusal.self) { try client.read(region: 0, 1 << 18 - 16, count: 1 << 17) }
        expectAnswers()
    }

    private func expectAnswers() {
        client.send(read(40, 8))
        expectReply(40, 8)
    }
}
