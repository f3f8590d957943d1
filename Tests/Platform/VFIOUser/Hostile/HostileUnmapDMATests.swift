// DMA_UNMAP as it should not be, and what must not be reached any more once it was answered.

import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileUnmapDMATests {
    private static func request(
        _ iova: UInt64 = 0x4000,
        _ size: UInt64 = 0x4000,
        flags: UInt32 = 0
    ) -> (inout MessageBuffer) -> Void {
        { UnmapDMARequest(flags: flags, iova: iova, size: size).write(to: &$0) }
    }

    /// With [0x4000, 0x8000) mapped.
    static let attacks =
        Attack.wrongLengths(.unmapDMA, right: 24, write: request()) + [
            Attack("argsz 23", .unmapDMA) {
                $0.append(UInt32(23))
                $0.append(UInt32(0))
                $0.append(UInt64(0x4000))
                $0.append(UInt64(0x4000))
            },
            Attack("unknown flag", .unmapDMA, write: request(flags: 4)),
            Attack("all flags", .unmapDMA, write: request(flags: .max)),
            Attack("everything, from an address", .unmapDMA, write: request(0x4000, 0, flags: 2)),
            Attack("everything, with a size", .unmapDMA, write: request(0, 0x4000, flags: 2)),
            Attack("everything, and its dirty pages", .unmapDMA, EINVAL, write: request(0x4000, 0x4000, flags: 3)),
            Attack("dirty pages", .unmapDMA, ENOTSUP, write: request(flags: 1)),
            Attack("dirty pages, and their header", .unmapDMA, ENOTSUP) {
                request(flags: 1)(&$0)
                $0.append(UInt64(4096))
                $0.append(UInt64(8))
            },
            Attack("no bytes", .unmapDMA, write: request(0x4000, 0)),
            Attack("over the end of the address space", .unmapDMA, write: request(0x4000, 0 &- 0x3FFF)),
            Attack("the front half", .unmapDMA, write: request(0x4000, 0x2000)),
            Attack("the back half", .unmapDMA, write: request(0x6000, 0x2000)),
            Attack("the middle", .unmapDMA, write: request(0x5000, 0x1000)),
            Attack("all but the last byte", .unmapDMA, write: request(0x4000, 0x3FFF)),
            Attack("all but the first byte", .unmapDMA, write: request(0x4001, 0x3FFF)),
            Attack("from before it into it", .unmapDMA, write: request(0, 0x5000)),
            Attack("from in it to behind it", .unmapDMA, write: request(0x7000, 0x5000)),
        ]

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        let memory = siege.descriptor(.memory)
        try siege.client.mapDMA(memory.raw, iova: 0x4000, size: 0x4000)
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        #expect(siege.mappingCount == 1)
        #expect(try siege.transfer(siege.client, 2, at: 0x7FFC, 1).isAllowed, "it is there as before")
        try siege.settle()
    }

    /// The reply says that the device has let go: no access goes there after it, by whatever way.
    @Test(
        arguments: [
            request(), request(0, .max), request(0, 0, flags: 2), request(0x3FFF, 0x4002), request(0, 1 << 63),
        ].map { Attack("", .unmapDMA, 0, write: $0) }
    )
    func nothingIsReachedAfterIt(_ attack: Attack) throws {
        let siege = try Siege()
        let memory = siege.descriptor(.memory)
        try siege.client.mapDMA(memory.raw, iova: 0x4000, size: 0x4000)
        #expect(try siege.transfer(siege.client, 2, at: 0x4000, 1).isAllowed)
        try siege.strike(attack)
        #expect(siege.mappingCount == 0)
        for place in stride(from: UInt64(0x4000), to: 0x8000, by: 0x1000) {
            #expect(try !siege.transfer(siege.client, 2, at: place, 2).isAllowed)
            #expect(try !siege.transfer(siege.client, 1, at: place).isAllowed)
        }
        try siege.strike(attack)
        try siege.settle()
    }

    /// A mapping cannot be made to stay by descriptors that come with the command.
    @Test func withDescriptors() throws {
        let siege = try Siege()
        try siege.strike(Attack("", .unmapDMA, 0, [.memory, .memory], write: Self.request()))
        try siege.settle()
    }
}
