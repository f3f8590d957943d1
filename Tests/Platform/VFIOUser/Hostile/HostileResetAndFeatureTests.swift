// DEVICE_RESET, and the commands that no device here has: device features, migration, dirty pages, numbers without meaning.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileResetTests {
    @Test(
        arguments: (1...9).map { length in
            Attack("\(length) bytes", .resetDevice) { $0.append(byteCount: length) { _ in } }
        }
    )
    func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        #expect(siege.device.resets == 0)
        try siege.settle()
    }

    /// Resets between all other commands, some of them without an answer: what the client has attached stays.
    @Test func resetsAllTheTime() throws {
        let siege = try Siege()
        let event = siege.descriptor(.event)
        let memory = siege.descriptor(.memory)
        for round in 0..<50 {
            siege.client.send(siege.client.message(.resetDevice, noReply: round % 2 == 0) { _ in })
            if round % 2 == 1 { _ = siege.client.receive() }
            try siege.switchOn(siege.client)
            if round == 10 {
                try siege.client.mapDMA(memory.raw, iova: 0, size: 0x1000)
                try siege.client.setInterrupts(
                    .eventDescriptors,
                    .trigger,
                    .msix,
                    count: 1,
                    descriptors: [event.raw]
                )
            }
            #expect(try siege.transfer(siege.client, 2, at: 0, 1).isAllowed == (round >= 10))
        }
        #expect(siege.device.resets == 50)
        try siege.settle()
    }
}

@Suite struct HostileFeatureTests {
    private static func feature(_ flags: UInt32, _ argumentSize: UInt32 = 16) -> (inout MessageBuffer) -> Void {
        {
            $0.append(argumentSize)
            $0.append(flags)
            $0.append(UInt64(1))
        }
    }

    static let commands: [Command] = [.dirtyPages, .deviceFeature, .readMigrationData, .writeMigrationData]

    /// Whatever is in them: none of these is carried out, and the answer says so.
    @Test(arguments: commands, [0, 1, 7, 8, 9, 16, 24, 4096]) func isNotSupported(command: Command, length: Int) throws
    {
        let siege = try Siege()
        for byte: UInt8 in [0, 0xFF] {
            let attack = Attack("", command, ENOTSUP, [.memory]) { buffer in
                for _ in 0..<length { buffer.append(byte) }
            }
            try siege.strike(attack)
            try siege.strikeSilently(attack)
        }
        #expect(siege.server.counters.unsupportedCommands == 4)
        try siege.settle()
    }

    @Test(
        arguments: [
            feature(0x4_0001), feature(0x1_0001), feature(0x2_0002), feature(0x5_0006), feature(0x2_0007),
            feature(0xFFFF_FFFF),
            feature(0x1_0001, 0), feature(0x1_FFFF, .max),
        ].map { Attack("", .deviceFeature, ENOTSUP, write: $0) }
    )
    func features(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.settle()
    }
}

@Suite struct HostileUnknownCommandTests {
    @Test(arguments: [UInt16(0), 19, 20, 31, 32, 255, 256, 0x7FFF, 0x8000, .max]) func isRefused(number: UInt16) throws
    {
        let siege = try Siege()
        for length in [0, 1, 16, 64, 5000] {
            let attack = Attack("", number: number, EINVAL, [.event]) { $0.append(byteCount: length) { _ in } }
            try siege.strike(attack)
            try siege.strikeSilently(attack)
        }
        #expect(siege.server.counters.unknownCommands == 10)
        try siege.settle()
    }
}
