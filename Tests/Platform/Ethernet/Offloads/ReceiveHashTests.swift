// Hash type and hash of received frames; the values are those of Microsoft's verification suite.

import Ethernet
import Simulation
import TestFrames
import Testing

private let key: [UInt8] = [
    0x6D, 0x5A, 0x56, 0xDA, 0x25, 0x5B, 0x0E, 0xC2, 0x41, 0x67, 0x25, 0x3D, 0x43, 0xA3, 0x8F, 0xB0,
    0xD0, 0xCA, 0x2B, 0xCB, 0xAE, 0x7B, 0x30, 0xB4, 0x77, 0xCB, 0x2D, 0xA3, 0x80, 0x30, 0xF2, 0x0C,
    0x6A, 0x42, 0xB7, 0x3B, 0xBE, 0xAC, 0x01, 0xFA,
]

/// With the key of the suite.
private func hash(_ frame: [UInt8], _ fields: HashFields) -> ReceiveHash {
    var hasher = ReceiveHasher()
    hasher.setKey(InlineArray { key[$0] })
    hasher.fields = fields
    return hasher.hash(frame.raw, FrameHeaders(frame.raw))
}

private let source4: [UInt8] = [66, 9, 149, 187]
private let destination4: [UInt8] = [161, 142, 100, 80]
private let source6: [UInt8] = [0x3F, 0xFE, 0x25, 0x01, 0x02, 0x00, 0x1F, 0xFF, 0, 0, 0, 0, 0, 0, 0, 7]
private let destination6: [UInt8] = [0x3F, 0xFE, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0, 1]
private let tcpBytes = tcp(from: 2_794, to: 1_766, payload(10))
private let udpBytes = udp(from: 2_794, to: 1_766, payload(10))

private let tcp4 = ipv4Frame(6, from: source4, to: destination4, tcpBytes)
private let udp4 = ipv4Frame(17, from: source4, to: destination4, udpBytes)
private let tcp6 = ipv6Frame(6, from: source6, to: destination6, tcpBytes)
private let udp6 = ipv6Frame(17, from: source6, to: destination6, udpBytes)

private let hash4 = UInt32(0x323E_8FC2)
private let portHash4 = UInt32(0x51CC_C178)
private let hash6 = UInt32(0x2CC1_8CD5)
private let portHash6 = UInt32(0x4020_7D3D)

/// What Linux enables (`igc_setup_mrqc`), with the UDP fields that `ethtool -N` adds.
private let linuxFields: HashFields = [.tcpIPv4, .ipv4, .tcpIPv6Mobile, .ipv6, .tcpIPv6]
private let linuxFieldsWithUDP = linuxFields.union([.udpIPv4, .udpIPv6])

@Suite struct ReceiveHashTests {
    @Test func fieldsAreMicrosoftsTypesOfHash() {
        let names: [HashFields] = [
            .ipv4, .tcpIPv4, .udpIPv4, .ipv6, .tcpIPv6, .udpIPv6, .ipv6Mobile, .tcpIPv6Mobile, .udpIPv6Mobile,
        ]
        for (bit, name) in names.enumerated() { #expect(name.rawValue == 1 << bit) }
        #expect(HashFields(names) == .all)
    }

    @Test func whatLinuxEnables() {
        #expect(hash(tcp4, linuxFields) == ReceiveHash(type: .tcpIPv4, value: portHash4))
        #expect(hash(udp4, linuxFields) == ReceiveHash(type: .ipv4, value: hash4))
        #expect(hash(tcp6, linuxFields) == ReceiveHash(type: .tcpIPv6, value: portHash6))
        #expect(hash(udp6, linuxFields) == ReceiveHash(type: .ipv6, value: hash6))
        #expect(hash(udp4, linuxFieldsWithUDP) == ReceiveHash(type: .udpIPv4, value: portHash4))
        #expect(hash(udp6, linuxFieldsWithUDP) == ReceiveHash(type: .udpIPv6, value: portHash6))
    }

    @Test func aFieldThatIsNotEnabledFallsBackToAddressesOrNothing() {
        #expect(hash(tcp4, .ipv4) == ReceiveHash(type: .ipv4, value: hash4))
        #expect(hash(tcp4, [.udpIPv4, .ipv6]) == .none)
        #expect(hash(tcp6, .ipv6) == ReceiveHash(type: .ipv6, value: hash6))
        #expect(hash(tcp6, [.ipv4, .udpIPv6]) == .none)
        #expect(hash(udp6, [.tcpIPv6, .tcpIPv6Mobile]) == .none)
    }

    @Test func mobileFieldsServeOrdinaryFramesToo() {
        #expect(hash(tcp6, .tcpIPv6Mobile) == ReceiveHash(type: .tcpIPv6Mobile, value: portHash6))
        #expect(hash(udp6, .udpIPv6Mobile) == ReceiveHash(type: .udpIPv6Mobile, value: portHash6))
        #expect(hash(udp6, .ipv6Mobile) == ReceiveHash(type: .ipv6Mobile, value: hash6))
    }

    @Test func mobileFieldsTakeTheHomeAddresses() {
        // The suite's addresses are the home addresses, others stand in the IPv6 header.
        let home: [UInt8] = [43, 2, 1, 2, 0, 0, 0xC9, 16] + source6
        let routing: [UInt8] = [6, 2, 2, 1, 0, 0, 0, 0] + destination6
        let both = ipv6Frame(6, first: 60, extensions: home + routing, tcpBytes)
        #expect(hash(both, linuxFields) == ReceiveHash(type: .tcpIPv6Mobile, value: portHash6))
        #expect(hash(both, .ipv6Mobile) == ReceiveHash(type: .ipv6Mobile, value: hash6))

        let onlyHome: [UInt8] = [6, 2, 1, 2, 0, 0, 0xC9, 16] + source6
        let sender = ipv6Frame(6, to: destination6, first: 60, extensions: onlyHome, tcpBytes)
        #expect(hash(sender, .ipv6Mobile) == ReceiveHash(type: .ipv6Mobile, value: hash6))

        let receiver = ipv6Frame(6, from: source6, first: 43, extensions: routing, tcpBytes)
        #expect(hash(receiver, .ipv6Mobile) == ReceiveHash(type: .ipv6Mobile, value: hash6))
    }

    @Test func plainFieldsTakeTheAddressesOfTheHeader() {
        let home: [UInt8] = [6, 2, 1, 2, 0, 0, 0xC9, 16] + [UInt8](repeating: 9, count: 16)
        let frame = ipv6Frame(6, from: source6, to: destination6, first: 60, extensions: home, tcpBytes)
        #expect(hash(frame, [.tcpIPv6, .ipv6]) == ReceiveHash(type: .tcpIPv6, value: portHash6))
    }

    @Test func fragmentsAreHashedByAddresses() {
        let fragment = ipv4Frame(6, from: source4, to: destination4, fragment: 0x2000, tcpBytes)
        #expect(hash(fragment, linuxFields) == ReceiveHash(type: .ipv4, value: hash4))
        #expect(hash(fragment, .tcpIPv4) == .none)
    }

    @Test func tagsAndOptionsAreLookedThrough() {
        let frame = ipv4Frame(
            6,
            from: source4,
            to: destination4,
            options: [1, 1, 1, 0],
            tags: [0x0064],
            tcpBytes
        )
        #expect(hash(frame, linuxFields) == ReceiveHash(type: .tcpIPv4, value: portHash4))
    }

    @Test func framesOfNoIPHaveNoHash() {
        let frame = ethernet(type: 0x88F7, payload(46))
        #expect(hash(frame, .all) == .none)
    }

    @Test func framesWithRandomBytesInThem() {
        var random = SeededRandom(seed: 8)
        for _ in 0..<2_000 {
            var frame = [tcp4, udp4, tcp6, udp6][Int.random(in: 0..<4, using: &random)]
            for _ in 0..<4 {
                frame[Int.random(in: 12..<frame.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            frame.removeLast(Int.random(in: 0..<20, using: &random))
            let found = hash(frame, .all)
            if (found.type == .none) != (FrameHeaders(frame.raw).network == .none) {
                Issue.record("\(found) of \(frame)")
            }
        }
    }
}
