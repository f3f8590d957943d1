// A server that lies: at every message of a connection's beginning, in every field, and later. The client says what it
// expected and what came, or goes on; it never hangs, never traps, and has nothing left over.

import Backing
import CLinux
import Clock
import Glibc
import Leases
import Memory
import PCIe
import Testing
import VFIOUser
import VFIOUserTestClient

/// One lie, and the error that it must cause; nil: none, the client makes do.
struct Lie: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let command: Command
    let code: DeviceError.Code?
    let tell: @Sendable (inout PassingReply) -> Void

    init(
        _ description: String,
        _ command: Command,
        _ code: DeviceError.Code?,
        _ tell: @escaping @Sendable (inout PassingReply) -> Void
    ) {
        testDescription = "\(command): \(description)"
        self.command = command
        self.code = code
        self.tell = tell
    }
}

private func version(_ text: String, major: UInt16 = 0, minor: UInt16 = 0) -> [UInt8] {
    bytes { buffer in
        buffer.append(major)
        buffer.append(minor)
        buffer.append(text)
        buffer.append(UInt8(0))
    }
}

private let everyReply: [Lie] = [Command.version, .getDeviceInfo, .getRegionInfo, .getInterruptInfo, .readRegion]
    .flatMap { command in
        [
            Lie("another message's number", command, .badContents) { $0.header.identifier &+= 1 },
            Lie("another command's", command, .badContents) { $0.header.command = Command.resetDevice.rawValue },
            Lie("no reply at all, but a command", command, .timedOut) { $0.header.flags = 0 },
            Lie("no payload", command, .badContents) { $0.payload = [] },
            Lie("a byte short", command, .badContents) {
                // A VERSION that is a byte short has no NUL, the others are too small.
                $0.payload.removeLast()
            },
            Lie("64 KiB too long", command, .badContents) { $0.payload += [UInt8](repeating: 0xEE, count: 65536 + 32) },
            Lie("size 0", command, .badContents) { $0.fate = .becomes(message(of: $0, size: 0)) },
            Lie("size 15", command, .badContents) { $0.fate = .becomes(message(of: $0, size: 15)) },
            Lie("size 2^32 - 1", command, .badContents) { $0.fate = .becomes(message(of: $0, size: .max)) },
            Lie("a size beyond its end", command, .timedOut) { $0.fate = .becomes(message(of: $0, size: 60_000)) },
            Lie("half of it", command, .timedOut) { $0.fate = .becomes(Array($0.message.prefix(20))) },
            Lie("a byte of it", command, .timedOut) { $0.fate = .becomes(Array($0.message.prefix(1))) },
            Lie("never", command, .timedOut) { $0.fate = .isLost },
            Lie("a closed connection", command, .deviceGone) { $0.fate = .cutsOff },
            Lie("refused", command, .refused) { $0.refuse(EPERM) },
            Lie("refused without a number", command, .refused) { $0.refuse(0) },
            Lie("in single bytes", command, nil) { $0.fate = .drips },
        ]
    }

private func message(of reply: PassingReply, size: UInt32) -> [UInt8] {
    var reply = reply
    reply.header.messageSize = size
    return reply.message
}

private let versions: [Lie] = [
    Lie("major 1", .version, .badContents) { $0.payload = version("{}", major: 1) },
    Lie("minor 1", .version, .badContents) { $0.payload = version("{}", minor: 1) },
    Lie("no JSON", .version, nil) { $0.payload = Array($0.payload.prefix(4)) },
    Lie("an empty object", .version, nil) { $0.payload = version("{}") },
    Lie("no object", .version, .badContents) { $0.payload = version("[]") },
    Lie("cut JSON", .version, .badContents) { $0.payload = version(#"{"capabilities":{"max_msg_fds":1"#) },
    Lie("deep JSON", .version, .badContents) { $0.payload = version(String(repeating: "[", count: 10_000)) },
    Lie("twice the same key", .version, .badContents) {
        $0.payload = version(#"{"capabilities":{"max_msg_fds":1,"max_msg_fds":2}}"#)
    },
    Lie("a number for a truth", .version, .badContents) {
        $0.payload = version(#"{"capabilities":{"write_multiple":1}}"#)
    },
    Lie("no descriptors", .version, .badContents) { $0.payload = version(#"{"capabilities":{"max_msg_fds":0}}"#) },
    Lie("any number of descriptors", .version, nil) {
        $0.payload = version(#"{"capabilities":{"max_msg_fds":18446744073709551615}}"#)
    },
    Lie("huge pages only", .version, .badContents) { $0.payload = version(#"{"capabilities":{"pgsizes":2097152}}"#) },
    Lie("4 bytes at a time", .version, .badContents) {
        $0.payload = version(#"{"capabilities":{"max_data_xfer_size":4}}"#)
    },
]

private let infos: [Lie] = [
    Lie("not PCI", .getDeviceInfo, .badContents) { $0.set(4, UInt32(1)) },
    Lie("no regions", .getDeviceInfo, .badContents) { $0.set(8, UInt32(0)) },
    Lie("all regions that a number has", .getDeviceInfo, .badContents) { $0.set(8, UInt32.max) },
    Lie("51 kinds of interrupts", .getDeviceInfo, .badContents) { $0.set(12, UInt32(51)) },
    Lie("no kinds of interrupts", .getDeviceInfo, nil) { $0.set(12, UInt32(0)) },
    Lie("argsz 0", .getDeviceInfo, .badContents) { $0.set(0, UInt32(0)) },
    Lie("another region", .getRegionInfo, .badContents) { $0.set(8, UInt32(5)) },
    Lie("argsz 2^32 - 1", .getRegionInfo, .badContents) { $0.set(0, UInt32.max) },
    Lie("argsz that always grows", .getRegionInfo, nil) { $0.set(0, UInt32(4096)) },
    Lie("2^64 - 1 bytes", .getRegionInfo, .badContents) { $0.set(16, UInt64.max) },
    Lie("a configuration space of 16 bytes", .getRegionInfo, .badContents) {
        if $0.payload[8] == UInt8(Region.config) { $0.set(16, UInt64(16)) }
    },
    Lie("capabilities at no offset", .getRegionInfo, nil) { $0.set(4, UInt32(0xB)) },
    Lie("capabilities in the fixed part", .getRegionInfo, .badContents) {
        $0.set(4, UInt32(0xB))
        $0.set(12, UInt32(16))
    },
    Lie("capabilities behind the end", .getRegionInfo, .badContents) {
        $0.set(4, UInt32(0xB))
        $0.set(12, UInt32(0xFFFF_FFF0))
    },
    Lie("another kind of interrupt", .getInterruptInfo, .badContents) { $0.set(8, UInt32(1)) },
    Lie("2^32 - 1 vectors", .getInterruptInfo, .badContents) { $0.set(12, UInt32.max) },
    Lie("2048 vectors", .getInterruptInfo, nil) { $0.set(12, UInt32(2048)) },
    Lie("no eventfds", .getInterruptInfo, nil) { $0.set(4, UInt32(0)) },
    Lie("about another offset", .readRegion, .badContents) { $0.set(0, UInt64(0x8000)) },
    Lie("about another region", .readRegion, .badContents) { $0.set(8, UInt32(3)) },
    Lie("about another size", .readRegion, .badContents) { $0.set(12, UInt32(8)) },
    Lie("all ones", .readRegion, .deviceGone) { reply in
        for index in 16..<reply.payload.count { reply.payload[index] = 0xFF }
    },
    Lie("capabilities in a circle", .readRegion, nil) { reply in
        // The pointer, and every entry: the list never ends.
        if reply.payload[0] == 0x34 { reply.payload[16] = 0x40 }
        if reply.payload[0] == 0x40 { reply.payload[16...17] = [0x05, 0x40] }
    },
]

@Suite struct LyingServerTests {
    @Test("A lie when a connection begins is a typed error", arguments: everyReply + versions + infos)
    func beginning(_ lie: Lie) throws {
        // Goes with every reply, and nobody needs it.
        var witness = DescriptorWitness()
        let far: FarSide
        do {
            let file = try witness.copy()
            var hasLied = false
            let rig = try ClientRig { command, _, reply in
                reply.replacements = [file.raw]
                guard command == lie.command else { return }
                hasLied = true
                lie.tell(&reply)
            }
            far = rig.far
            let start = rig.clock.now
            do {
                let backing = try rig.connect()
                #expect(lie.code == nil)
                #expect(backing.isConnected && backing.vectorCount <= SampleDevice.vectors)
                try drive(backing)
            } catch let error as DeviceError {
                #expect(error.code == lie.code, "\(error)")
                #expect(error.operation == "connect" && error.device == "test:sample")
            }
            #expect(hasLied)
            #expect(rig.clock.now - start < 10_000_000_000)
            #expect(rig.census.outstanding.isEmpty)
        }
        far.liar.takeTurn()
        #expect(!far.liar.isConnected, "the client's socket is closed")
        far.liar.forget()
        let closed = witness.allClosed()
        #expect(closed)
    }

    /// What a driver does, with a device that works.
    private func drive(_ backing: VFIOUserBacking) throws {
        let bar = try backing.mapBAR(0)
        bar.store(UInt32(SampleDevice.Offset.scratch), 0x1234)
        #expect(bar.load(UInt32(SampleDevice.Offset.scratch)) == 0x1234)
        _ = try backing.allocateDMA(byteCount: 4096, .both, purpose: "test")
        if backing.vectorCount > 0 { _ = try backing.attachVector(0, cpu: nil) }
    }

    @Test("More descriptors than a message may have end the connection, and none is kept")
    func tooManyDescriptors() throws {
        var witness = DescriptorWitness()
        do {
            let file = try witness.copy()
            let raw = file.raw
            let rig = try ClientRig { command, _, reply in
                guard command == .getDeviceInfo else { return }
                reply.replacements = [Int32](repeating: raw, count: 16)
            }
            defer { rig.liar.forget() }
            let backing = try rig.connect()
            // 16 are taken and closed; what follows is a reply with 16 more, in two parts.
            rig.liar.lie = { command, _, reply in
                guard command == .readRegion else { return }
                let message = reply.message
                rig.liar.say(Array(message.prefix(8)), descriptors: [Int32](repeating: raw, count: 10))
                rig.liar.say(Array(message.suffix(from: 8)), descriptors: [Int32](repeating: raw, count: 10))
                reply.fate = .isLost
            }
            #expect(try backing.readConfig(0, .word) == 0xFFFF)
            #expect(!backing.isConnected)
        }
        let closed = witness.allClosed()
        #expect(closed)
    }
}
