// MRQC, RSSRK and RETA as the device takes them over; the values are those of Microsoft's verification suite.

import Ethernet
import I225Model
import TestFrames
import Testing

private let key: [UInt8] = [
    0x6D, 0x5A, 0x56, 0xDA, 0x25, 0x5B, 0x0E, 0xC2, 0x41, 0x67, 0x25, 0x3D, 0x43, 0xA3, 0x8F, 0xB0,
    0xD0, 0xCA, 0x2B, 0xCB, 0xAE, 0x7B, 0x30, 0xB4, 0x77, 0xCB, 0x2D, 0xA3, 0x80, 0x30, 0xF2, 0x0C,
    0x6A, 0x42, 0xB7, 0x3B, 0xBE, 0xAC, 0x01, 0xFA,
]

/// With the key of the suite, entry n of the indirection table leading to queue n modulo 4, and queue 1 by default.
private func scaling(_ fields: UInt32, mode: UInt32 = 2) -> ReceiveSideScaling {
    var scaling = ReceiveSideScaling()
    for index in 0..<10 {
        let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(key[index * 4 + $1]) << UInt32($1 * 8) }
        scaling.setKey(index, word)
    }
    for index in 0..<32 { scaling.setIndirection(index, 0x0302_0100) }
    scaling.setControl(fields | 1 << 3 | mode)
    return scaling
}

private let tcp4 = ipv4Frame(
    6,
    from: [66, 9, 149, 187],
    to: [161, 142, 100, 80],
    tcp(from: 2_794, to: 1_766, payload(10))
)
private let portHash4 = UInt32(0x51CC_C178)

/// What Linux enables (`igc_setup_mrqc`), with the UDP fields that `ethtool -N` adds.
private let linuxFields: UInt32 = 0x0037_0000
private let linuxFieldsWithUDP: UInt32 = 0x00F7_0000

@Suite struct ReceiveSideScalingTests {
    @Test func fieldsAreBitsOfMRQC() {
        let linux: HashFields = [.tcpIPv4, .ipv4, .tcpIPv6Mobile, .ipv6, .tcpIPv6]
        #expect(HashFields(multipleReceiveQueues: linuxFields) == linux)
        #expect(HashFields(multipleReceiveQueues: linuxFieldsWithUDP) == linux.union([.udpIPv4, .udpIPv6]))
        #expect(HashFields(multipleReceiveQueues: ~0) == .all)
        let names: [HashFields] = [
            .tcpIPv4, .ipv4, .tcpIPv6Mobile, .ipv6Mobile, .ipv6, .tcpIPv6, .udpIPv4, .udpIPv6, .udpIPv6Mobile,
        ]
        for bit in 0..<32 {
            let expected = bit >= 16 && bit < 25 ? names[bit - 16] : []
            #expect(HashFields(multipleReceiveQueues: 1 << UInt32(bit)) == expected, "bit \(bit)")
        }
    }

    @Test func everyTypeHasItsCode() {
        let types: [HashType] = [
            .none, .tcpIPv4, .ipv4, .tcpIPv6, .ipv6Mobile, .ipv6, .tcpIPv6Mobile, .udpIPv4, .udpIPv6, .udpIPv6Mobile,
        ]
        for (code, type) in types.enumerated() { #expect(type.writeBackCode == code) }
    }

    @Test func keyAndFieldsReachTheHash() {
        let scaling = scaling(linuxFields)
        #expect(scaling.hash(tcp4.raw, FrameHeaders(tcp4.raw)) == ReceiveHash(type: .tcpIPv4, value: portHash4))
    }

    @Test(arguments: [0, 1, 3, 4, 5, 6, 7] as [UInt32])
    func otherModesThanScalingHashNothing(mode: UInt32) {
        let scaling = scaling(linuxFields, mode: mode)
        let found = scaling.hash(tcp4.raw, FrameHeaders(tcp4.raw))
        #expect(found == .none)
        #expect(scaling.queue(for: found) == 1)
    }

    @Test func theLowestSevenBitsOfAHashChooseTheQueue() {
        var scaling = scaling(linuxFields)
        #expect(scaling.queue(for: ReceiveHash(type: .tcpIPv4, value: portHash4)) == Int(portHash4 % 4))
        for entry in 0..<128 as Range<UInt32> {
            for index in 0..<32 { scaling.setIndirection(index, 0) }
            scaling.setIndirection(Int(entry / 4), 3 << (entry % 4 * 8))
            #expect(scaling.queue(for: ReceiveHash(type: .ipv4, value: 0xFFFF_FF80 | entry)) == 3)
            #expect(scaling.queue(for: ReceiveHash(type: .ipv4, value: 0xFFFF_FF80 | entry ^ 1)) == 0)
        }
    }

    @Test func aFrameWithoutHashGoesToTheDefaultQueue() {
        #expect(scaling(linuxFields).queue(for: .none) == 1)
    }

    @Test func queuesThatTheDeviceDoesNotHaveAreNotNamed() {
        var scaling = scaling(linuxFields)
        for index in 0..<32 { scaling.setIndirection(index, ~0) }
        #expect(scaling.queue(for: ReceiveHash(type: .ipv4, value: 0)) == 3)
        scaling.setControl(~0)
        #expect(scaling.queue(for: .none) == 3)
    }
}
