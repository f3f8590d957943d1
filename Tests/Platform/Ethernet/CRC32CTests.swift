// CRC-32C against the check value of the catalogues, the examples of RFC 3720 appendix B.4, and a bit at a time.

import Ethernet
import Simulation
import TestFrames
import Testing

@Suite struct CRC32CTests {
    @Test func checkValue() {
        #expect(CRC32C.of([UInt8]("123456789".utf8).raw) == 0xE306_9283)
    }

    @Test(
        arguments: [
            ([UInt8](repeating: 0x00, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ([UInt8](0..<32), 0x46DD_794E),
            ([UInt8]((0..<32).reversed()), 0x113F_DB5C),
        ] as [([UInt8], UInt32)]
    )
    func rfc3720AppendixB4(bytes: [UInt8], crc: UInt32) {
        #expect(CRC32C.of(bytes.raw) == crc)
    }

    @Test func nothingHasTheCRCZero() {
        #expect(CRC32C().value == 0)
        #expect(CRC32C.of([UInt8]().raw) == 0)
    }

    @Test func everyLengthAtEveryAlignment() {
        var random = SeededRandom(seed: 3)
        let bytes = (0..<80).map { _ in UInt8.random(in: 0...255, using: &random) }
        for start in 0..<9 {
            for length in 0...(bytes.count - start) {
                let crc = CRC32C.of(bytes.raw.extracting(start..<start + length))
                #expect(crc == referenceCRC32C([UInt8](bytes[start..<start + length])), "\(length) bytes from \(start)")
            }
        }
    }

    @Test func partsOfAnyLengthGiveTheCRCOfTheWhole() {
        let bytes = payload(67)
        for cut in 0...67 {
            var crc = CRC32C()
            crc.add(bytes.raw.extracting(0..<cut))
            crc.add(bytes.raw.extracting(cut..<67))
            #expect(crc.value == referenceCRC32C(bytes), "cut at \(cut)")
        }
    }
}
