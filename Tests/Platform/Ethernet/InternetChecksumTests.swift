// The Internet checksum against RFC 1071's and RFC 1624's own examples, and against the sum a word at a time.

import Ethernet
import Simulation
import TestFrames
import Testing

@Suite struct InternetChecksumTests {
    private func folded(_ bytes: [UInt8]) -> UInt16 {
        var sum = InternetChecksum()
        sum.add(bytes.raw)
        return sum.folded
    }

    @Test func rfc1071Section3Example() {
        #expect(folded([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]) == 0xDDF2)
    }

    @Test func aHeaderWithItsChecksumSumsToAllOnes() {
        let header: [UInt8] = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
            0xB8, 0x61, 0xC0, 0xA8, 0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7,
        ]
        #expect(folded(header) == 0xFFFF)
        #expect(InternetChecksum.of(header.raw) == 0)
        let blank = header[..<10] + [0, 0] + header[12...]
        #expect(InternetChecksum.of([UInt8](blank).raw) == 0xB861)
    }

    @Test func nothingSumsToZero() {
        #expect(folded([]) == 0)
        #expect(InternetChecksum().checksum == 0xFFFF)
    }

    @Test func everyLengthAtEveryAlignment() {
        var random = SeededRandom(seed: 1)
        let bytes = (0..<160).map { _ in UInt8.random(in: 0...255, using: &random) }
        for start in 0..<9 {
            for length in 0...(bytes.count - start) {
                let part = [UInt8](bytes[start..<start + length])
                var sum = InternetChecksum()
                sum.add(bytes.raw.extracting(start..<start + length))
                #expect(sum.folded == referenceSum(part), "\(length) bytes from \(start)")
            }
        }
    }

    @Test(arguments: [65_535, 262_144])
    func carriesOfALongRunOfOnesAreAllKept(length: Int) {
        let ones = [UInt8](repeating: 0xFF, count: length)
        #expect(folded(ones) == referenceSum(ones))
    }

    @Test func partsOfEvenLengthGiveTheSumOfTheWhole() {
        let bytes = payload(101)
        for cut in stride(from: 0, through: 100, by: 2) {
            var sum = InternetChecksum()
            sum.add(bytes.raw.extracting(0..<cut))
            sum.add(bytes.raw.extracting(cut..<101))
            #expect(sum.folded == referenceSum(bytes), "cut at \(cut)")
        }
    }

    @Test func wordsCountLikeTheirBytes() {
        var sum = InternetChecksum()
        sum.add(UInt16(0xFFFE))
        sum.add(UInt32(0x8001_FFFF))
        #expect(sum.folded == referenceSum([0xFF, 0xFE, 0x80, 0x01, 0xFF, 0xFF]))
    }

    @Test func manyWordsDoNotOverflow() {
        var sum = InternetChecksum()
        for _ in 0..<70_000 { sum.add(UInt32.max) }
        #expect(sum.folded == 0xFFFF)
    }

    @Test func rfc1624Section4Example() {
        #expect(InternetChecksum.updated(0xDD2F, replacing: 0x5555, with: 0x3285) == 0x0000)
    }

    @Test func aChangedWordGivesTheChecksumOfTheChangedBytes() {
        var random = SeededRandom(seed: 2)
        for _ in 0..<2_000 {
            var bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
            let before = InternetChecksum.of(bytes.raw)
            let place = 2 * Int.random(in: 0..<10, using: &random)
            let old = bytes.number16(at: place)
            let new = UInt16.random(in: 0...0xFFFF, using: &random)
            bytes.set16(new, at: place)
            let after = InternetChecksum.of(bytes.raw)
            #expect(InternetChecksum.updated(before, replacing: old, with: new) == after)
        }
    }
}
