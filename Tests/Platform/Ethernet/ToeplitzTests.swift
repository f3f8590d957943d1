// The Toeplitz hash against Microsoft's "Verifying the RSS hash calculation", and a bit at a time.

import Ethernet
import Simulation
import TestFrames
import Testing

/// The key of Microsoft's verification suite.
private let microsoftKey: [UInt8] = [
    0x6D, 0x5A, 0x56, 0xDA, 0x25, 0x5B, 0x0E, 0xC2, 0x41, 0x67, 0x25, 0x3D, 0x43, 0xA3, 0x8F, 0xB0,
    0xD0, 0xCA, 0x2B, 0xCB, 0xAE, 0x7B, 0x30, 0xB4, 0x77, 0xCB, 0x2D, 0xA3, 0x80, 0x30, 0xF2, 0x0C,
    0x6A, 0x42, 0xB7, 0x3B, 0xBE, 0xAC, 0x01, 0xFA,
]

private struct Vector: Sendable, CustomTestStringConvertible {
    let source: [UInt8]
    let destination: [UInt8]
    let sourcePort: UInt16
    let destinationPort: UInt16
    let addressHash: UInt32
    let portHash: UInt32

    var testDescription: String { "port \(sourcePort) to \(destinationPort), \(source.count)-byte addresses" }
}

private let vectors: [Vector] = [
    Vector(
        source: [66, 9, 149, 187],
        destination: [161, 142, 100, 80],
        sourcePort: 2794,
        destinationPort: 1766,
        addressHash: 0x323E_8FC2,
        portHash: 0x51CC_C178
    ),
    Vector(
        source: [199, 92, 111, 2],
        destination: [65, 69, 140, 83],
        sourcePort: 14230,
        destinationPort: 4739,
        addressHash: 0xD718_262A,
        portHash: 0xC626_B0EA
    ),
    Vector(
        source: [24, 19, 198, 95],
        destination: [12, 22, 207, 184],
        sourcePort: 12898,
        destinationPort: 38024,
        addressHash: 0xD2D0_A5DE,
        portHash: 0x5C2B_394A
    ),
    Vector(
        source: [38, 27, 205, 30],
        destination: [209, 142, 163, 6],
        sourcePort: 48228,
        destinationPort: 2217,
        addressHash: 0x8298_9176,
        portHash: 0xAFC7_327F
    ),
    Vector(
        source: [153, 39, 163, 191],
        destination: [202, 188, 127, 2],
        sourcePort: 44251,
        destinationPort: 1303,
        addressHash: 0x5D18_09C5,
        portHash: 0x10E8_28A2
    ),
    Vector(  // 3ffe:2501:200:1fff::7 to 3ffe:2501:200:3::1
        source: [0x3F, 0xFE, 0x25, 0x01, 0x02, 0x00, 0x1F, 0xFF, 0, 0, 0, 0, 0, 0, 0, 7],
        destination: [0x3F, 0xFE, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0, 1],
        sourcePort: 2794,
        destinationPort: 1766,
        addressHash: 0x2CC1_8CD5,
        portHash: 0x4020_7D3D
    ),
    Vector(  // 3ffe:501:8::260:97ff:fe40:efab to ff02::1
        source: [0x3F, 0xFE, 0x05, 0x01, 0x00, 0x08, 0, 0, 0x02, 0x60, 0x97, 0xFF, 0xFE, 0x40, 0xEF, 0xAB],
        destination: [0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        sourcePort: 14230,
        destinationPort: 4739,
        addressHash: 0x0F0C_461C,
        portHash: 0xDDE5_1BBF
    ),
    Vector(  // 3ffe:1900:4545:3:200:f8ff:fe21:67cf to fe80::200:f8ff:fe21:67cf
        source: [0x3F, 0xFE, 0x19, 0x00, 0x45, 0x45, 0, 3, 0x02, 0x00, 0xF8, 0xFF, 0xFE, 0x21, 0x67, 0xCF],
        destination: [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0x00, 0xF8, 0xFF, 0xFE, 0x21, 0x67, 0xCF],
        sourcePort: 44251,
        destinationPort: 38024,
        addressHash: 0x4B61_E985,
        portHash: 0x02D1_FEEF
    ),
]

@Suite struct ToeplitzTests {
    private func toeplitz(_ key: [UInt8]) -> Toeplitz { Toeplitz(key: InlineArray { key[$0] }) }

    @Test(arguments: vectors)
    fileprivate func microsoftsVerificationSuite(vector: Vector) {
        let toeplitz = toeplitz(microsoftKey)
        let addresses = vector.source + vector.destination
        let ports = big(vector.sourcePort) + big(vector.destinationPort)
        #expect(toeplitz.part(addresses.raw, at: 0) == vector.addressHash)
        #expect(toeplitz.part((addresses + ports).raw, at: 0) == vector.portHash)
    }

    @Test func randomKeysAndInputsOfEveryLength() {
        var random = SeededRandom(seed: 4)
        for length in 0...Toeplitz.inputBytes {
            let key = (0..<Toeplitz.keyBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
            let input = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(toeplitz(key).part(input.raw, at: 0) == referenceToeplitz(input, key: key))
        }
    }

    @Test func everyBitOfTheInputHasItsPlaceInTheKey() {
        let toeplitz = toeplitz(microsoftKey)
        for bit in 0..<Toeplitz.inputBytes * 8 {
            var input = [UInt8](repeating: 0, count: Toeplitz.inputBytes)
            input[bit / 8] = 0x80 >> (bit % 8)
            #expect(toeplitz.part(input.raw, at: 0) == referenceToeplitz(input, key: microsoftKey), "bit \(bit)")
        }
    }

    @Test func thePartsOfAnInputMakeUpItsHash() {
        let toeplitz = toeplitz(microsoftKey)
        let input = payload(Toeplitz.inputBytes)
        for cut in 0...input.count {
            let first = toeplitz.part(input.raw.extracting(0..<cut), at: 0)
            let second = toeplitz.part(input.raw.extracting(cut..<input.count), at: cut)
            #expect(first ^ second == referenceToeplitz(input, key: microsoftKey), "cut at \(cut)")
        }
    }

    @Test func noKeyNoHash() {
        #expect(Toeplitz().part(payload(36).raw, at: 0) == 0)
    }

    @Test func anInputLongerThanTheKeyServesIsAProgrammersError() async {
        await #expect(processExitsWith: .failure) {
            _ = Toeplitz().part([UInt8](repeating: 0, count: 33).raw, at: 4)
        }
    }
}
