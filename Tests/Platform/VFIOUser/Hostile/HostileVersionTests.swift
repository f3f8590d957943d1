// VERSION as it should not be, and what comes instead of it. A client that cannot begin is told why, and sent away.

import Clock
import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileVersionTests {
    private static func json(_ text: String, major: UInt16 = 0, minor: UInt16 = 0) -> (inout MessageBuffer) -> Void {
        {
            $0.append(major)
            $0.append(minor)
            $0.append(text)
        }
    }

    private static func text(_ name: String, _ text: String) -> Attack {
        Attack(name, .version, write: json(text + "\0"))
    }

    static let frames: [Attack] =
        (0..<4).map { length in
            Attack("\(length) bytes", .version) { buffer in for _ in 0..<length { buffer.append(UInt8(0)) } }
        } + [
            Attack("major 1", .version, write: json("{}\0", major: 1)),
            Attack("major 65535", .version, write: json("", major: .max)),
            Attack("no NUL", .version, write: json("{}")),
            Attack("a NUL alone", .version, write: json("\0")),
            Attack("a NUL inside", .version, write: json("{\"a\0b\":1}\0")),
            Attack("bytes behind the NUL", .version, write: json("{}\0{}\0")),
            Attack("20000 bytes", .version, write: json(String(repeating: " ", count: 20000) + "{}\0")),
            Attack("1 MiB", .version) {
                $0.append(UInt32(0))
                $0.append(byteCount: 1 << 20) { _ in }
            },
        ]
    static let texts: [Attack] = [
        text("not JSON", "capabilities"), text("half an object", "{\"capabilities\":{\"max_msg_fds\":1"),
        text("an array", "[]"), text("a number", "1"), text("a string", "\"{}\""), text("null", "null"),
        text("two values", "{}{}"), text("a comment", "{/**/}"), text("a trailing comma", "{\"a\":1,}"),
        text("capabilities that are none", "{\"capabilities\":1}"),
        text("capabilities in an array", "{\"capabilities\":[{}]}"),
        text("capabilities twice", "{\"capabilities\":{},\"capabilities\":{}}"),
        text("a key twice", "{\"capabilities\":{\"max_msg_fds\":1,\"max_msg_fds\":2}}"),
        text("a key twice, once escaped", "{\"capabilities\":{\"max_msg_fds\":1,\"max_msg\\u005ffds\":2}}"),
        text("descriptors: a string", "{\"capabilities\":{\"max_msg_fds\":\"8\"}}"),
        text("descriptors: negative", "{\"capabilities\":{\"max_msg_fds\":-1}}"),
        text("descriptors: a fraction", "{\"capabilities\":{\"max_msg_fds\":1.5}}"),
        text("descriptors: 2^64", "{\"capabilities\":{\"max_msg_fds\":18446744073709551616}}"),
        text("descriptors: null", "{\"capabilities\":{\"max_msg_fds\":null}}"),
        text("data: none", "{\"capabilities\":{\"max_data_xfer_size\":0}}"),
        text("data: an object", "{\"capabilities\":{\"max_data_xfer_size\":{}}}"),
        text("maps: true", "{\"capabilities\":{\"max_dma_maps\":true}}"),
        text("page sizes: an array", "{\"capabilities\":{\"pgsizes\":[4096]}}"),
        text("write_multiple: 1", "{\"capabilities\":{\"write_multiple\":1}}"),
        text("twin_socket: true", "{\"capabilities\":{\"twin_socket\":true}}"),
        text("twin_socket: supported: 1", "{\"capabilities\":{\"twin_socket\":{\"supported\":1}}}"),
        text("nested 10000 deep", String(repeating: "[", count: 10000)),
        text("objects 2000 deep", String(repeating: "{\"a\":", count: 2000)),
        Attack("not UTF-8", .version) {
            json("{\"")(&$0)
            $0.append(UInt16(0xFFC0))
            $0.append("\":1}\0")
        },
    ]

    @Test(arguments: frames + texts) func isRefused(_ attack: Attack) throws {
        let siege = try Siege(negotiates: false)
        siege.client.send(attack.message(identifier: 7))
        guard case .message(let reply) = siege.client.receive() else {
            Issue.record("no answer")
            return
        }
        #expect(reply.header.identifier == 7 && reply.errorNumber == EINVAL && reply.payload.isEmpty)
        #expect(siege.client.receive() == .closed)
        #expect(siege.server.counters.brokenConnections == 1 && siege.server.counters.refusals(.version) == 1)
        try siege.settle()
    }

    /// What is odd and no mistake.
    @Test(arguments: [
        Attack("no JSON", .version, 0, write: json("")),
        text("an empty object", "{}"), text("no capabilities", "{\"capabilities\":{}}"),
        Attack("minor 65535", .version, 0, write: json("{\"capabilities\":{}}\0", minor: .max)),
        text("extremes", "{\"capabilities\":{\"max_msg_fds\":18446744073709551615,\"max_data_xfer_size\":1}}"),
        text("strangers", "{\"a\":{\"b\":[1,-2.5e3,{\"c\":null}]},\"capabilities\":{\"d\":\"\\ud83d\\ude00\"}}"),
    ])
    func isAccepted(_ attack: Attack) throws {
        let siege = try Siege(negotiates: false)
        try siege.client.ask(.version) { $0.append(attack.payload.raw) }
        #expect(try siege.client.read32(region: Region.config, 0) == 0x0001_1D0B)
        try siege.settle()
    }

    @Test func onlyOnce() throws {
        let siege = try Siege()
        try siege.strike(Attack("again", .version, write: Self.json("{}\0")))
        try siege.strikeSilently(Attack("again", .version, write: Self.json("{}\0")))
        try siege.settle()
    }

    /// Descriptors that nobody asked for are closed, not kept.
    @Test func withDescriptors() throws {
        let siege = try Siege(negotiates: false)
        siege.client.send(
            Attack("", .version, write: Self.json("{}\0")).message(identifier: 1),
            descriptors: [siege.descriptor(.memory), siege.descriptor(.event)].map { $0.raw }
        )
        guard case .message(let reply) = siege.client.receive() else {
            Issue.record("no answer")
            return
        }
        #expect(reply.errorNumber == 0)
        try siege.settle()
    }

    /// Every other command, known or not, before VERSION: EINVAL, and the connection ends.
    @Test(arguments: (0...20).filter { $0 != Command.version.rawValue } + [0x7FFF, .max])
    func comesFirst(_ number: UInt16) throws {
        let siege = try Siege(negotiates: false)
        let memory = siege.descriptor(.memory)
        let attack = Attack("", number: number) { $0.append(byteCount: 32) { _ in } }
        siege.client.send(attack.message(identifier: 3), descriptors: [memory.raw])
        guard case .message(let reply) = siege.client.receive() else {
            Issue.record("no answer")
            return
        }
        #expect(reply.errorNumber == EINVAL && reply.header.command == number)
        #expect(siege.client.receive() == .closed)
        #expect(siege.server.counters.brokenConnections == 1)
        try siege.settle()
    }

    /// Somebody who says nothing that counts does not keep the place.
    @Test func repliesAreNoBeginning() throws {
        let siege = try Siege(negotiates: false)
        for _ in 0..<100 {
            let reply = MessageHeader(identifier: 1, command: 1, flags: MessageHeader.typeReply)
            siege.client.send(bytes { reply.write(to: &$0) })
            siege.poll()
            siege.clock.advance(nanoseconds: 100_000_000)
        }
        siege.poll()
        #expect(siege.server.counters.brokenConnections == 1)
        try siege.settle()
    }
}
