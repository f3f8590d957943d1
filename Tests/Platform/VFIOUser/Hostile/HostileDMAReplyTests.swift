// DMA_READ and DMA_WRITE are commands of the server's: a client that sends them, and replies that nobody waits for.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileDMAReplyTests {
    @Test(arguments: [Command.readDMA, .writeDMA], [0, 15, 16, 20, 4096]) func asCommands(
        command: Command,
        length: Int
    ) throws {
        let siege = try Siege()
        let attack = Attack("", command, EINVAL, [.memory]) { $0.append(byteCount: length) { _ in } }
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        try siege.settle()
    }

    /// Replies to what was never asked, errors among them, with every length and descriptors: counted, and that is all.
    @Test(arguments: Command.allCases) func repliesToNothing(command: Command) throws {
        let siege = try Siege()
        var count: UInt64 = 0
        for flags in [MessageHeader.typeReply, MessageHeader.typeReply | MessageHeader.error, 2, 0xF, 0xFFFF_FFFF] {
            for length in [0, 1, 16, 17, 32, 4096] {
                for identifier: UInt16 in [0, 1, .max] {
                    let header = MessageHeader(
                        identifier: identifier,
                        command: command.rawValue,
                        messageSize: UInt32(16 + length),
                        flags: flags,
                        errorNumber: .max
                    )
                    let message = bytes {
                        header.write(to: &$0)
                        $0.append(byteCount: length) { _ in }
                    }
                    siege.client.send(message, descriptors: length == 32 ? [siege.descriptor(.event).raw] : [])
                    count += 1
                }
            }
        }
        #expect(try siege.client.read32(region: Region.config, 0) == 0x0001_1D0B)
        #expect(siege.server.counters.unexpectedReplies == count)
        try siege.settle()
    }

    /// Memory without a descriptor that the client then does not answer for: the device has a fault, and goes on.
    @Test func memoryThatNobodyAnswersFor() throws {
        let siege = try Siege()
        try siege.client.mapDMA(nil, iova: 0x1000, size: 0x1000)
        let wasAllowed = try siege.transfer(siege.client, 2, at: 0x1000, 1).isAllowed
        #expect(!wasAllowed)
        #expect(siege.server.counters.remoteAccesses == 1)
        try siege.settle()
    }
}
