// DEVICE_GET_REGION_INFO as it should not be.

import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileRegionInfoTests {
    private static func request(_ index: UInt32, _ argumentSize: UInt32 = 32) -> (inout MessageBuffer) -> Void {
        { RegionInfo(argumentSize: argumentSize, index: index).writeRequest(to: &$0) }
    }

    static let attacks =
        Attack.wrongLengths(.getRegionInfo, right: 32, upTo: 31, write: request(0))
        + [0, 1, 31].map { size in Attack("argsz \(size)", .getRegionInfo, write: request(0, size)) }
        + [9, 10, 255, 0x7FFF_FFFF, 0x8000_0000, .max].map { index in
            Attack("region \(index)", .getRegionInfo, write: request(index))
        }
        + [
            // A request has no capabilities; one that says so must say where.
            Attack("capabilities in nowhere", .getRegionInfo) {
                $0.append(UInt32(32))
                $0.append(RegionInfo.hasCapabilities)
                $0.append(UInt32(0))
                $0.append(UInt32.max)
                $0.append(byteCount: 16) { _ in }
            },
            Attack("capabilities in the struct", .getRegionInfo) {
                $0.append(UInt32(32))
                $0.append(RegionInfo.hasCapabilities)
                $0.append(UInt32(0))
                $0.append(UInt32(8))
                $0.append(byteCount: 16) { _ in }
            },
            Attack("a million areas", .getRegionInfo) {
                $0.append(UInt32(48))
                $0.append(RegionInfo.hasCapabilities)
                $0.append(UInt32(0))
                $0.append(UInt32(32))
                $0.append(byteCount: 16) { _ in }
                $0.append(UInt32(0x1_0001))
                $0.append(UInt32(0))
                $0.append(UInt32(1_000_000))
                $0.append(UInt32(0))
            },
        ]

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        try siege.settle()
    }

    /// Every room from none to more than enough: the answer never exceeds it, and a descriptor comes with all or nothing.
    @Test(arguments: [0, SampleDevice.memoryBAR, 6, 8]) func everyRoom(region: Int) throws {
        let siege = try Siege()
        for room in UInt32(32)...100 {
            siege.client.send(siege.client.message(.getRegionInfo, Self.request(UInt32(region), room)))
            guard case .message(let reply) = siege.client.receive() else {
                Issue.record("no answer")
                return
            }
            #expect(reply.errorNumber == 0 && reply.payload.count <= Int(room))
            let info = try RegionInfo(reply.payload.raw)
            let isWhole = info.argumentSize <= room
            #expect(info.mappedRanges.isEmpty == !(isWhole && region == SampleDevice.memoryBAR))
            #expect(reply.descriptorCount == (isWhole && region == SampleDevice.memoryBAR ? 1 : 0))
        }
        try siege.settle()
    }

    /// Our memory in the hands of a client can be written, and nothing else: it cannot shrink under us.
    @Test func theMemoryThatItHandsOutCannotBeTruncated() throws {
        let siege = try Siege()
        _ = try siege.client.ask(.getRegionInfo, Self.request(UInt32(SampleDevice.memoryBAR), 64))
        let memory = try #require(siege.client.takeDescriptor(0))
        #expect(ftruncate(memory.raw, 0) == -1 && errno == EPERM)
        #expect(ftruncate(memory.raw, 1 << 30) == -1 && errno == EPERM)
        #expect(try siege.client.read(region: SampleDevice.memoryBAR, 0, count: 0x4000).count == 0x4000)
        try siege.settle()
    }

    /// Descriptors under way count for the user, not for the connection. Who asks for many and takes none has one of them.
    @Test func descriptorsThatNobodyTakes() throws {
        let siege = try Siege()
        let own = FileIdentity(siege.device.memory.fileDescriptor)
        let ask = siege.client.message(.getRegionInfo, Self.request(UInt32(SampleDevice.memoryBAR), 64))
        for _ in 0..<500 { siege.client.send(ask) }
        for _ in 0..<100 {
            siege.poll()
            #expect(own.openCount() <= 1 + 64 + 1)
        }
        #expect(siege.server.counters.fullOutputs > 0)
        #expect(siege.server.counters.messages(.getRegionInfo) <= 65, "it waits for the reader")
        for _ in 0..<500 {
            guard case .message(let reply) = siege.client.receive() else {
                Issue.record("a reply was lost")
                return
            }
            #expect(reply.descriptorCount == 1)
        }
        try siege.settle()
        #expect(own.openCount() == 1)
    }
}
