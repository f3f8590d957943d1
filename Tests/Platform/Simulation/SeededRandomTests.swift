// The generator is the published one, so that a seed from a log repeats its run on any machine.

import Simulation
import Testing

@Suite struct SeededRandomTests {
    @Test func isSplitMix64() {
        var random = SeededRandom(seed: 1_234_567)
        let published: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect((0..<5).map { _ in random.next() } == published)
    }

    @Test func aSeedRepeatsAndAnotherDiffers() {
        func choices(_ seed: UInt64) -> [Int] {
            var random = SeededRandom(seed: seed)
            return (0..<64).map { _ in Int.random(in: 0..<1000, using: &random) }
        }
        #expect(choices(7) == choices(7))
        #expect(choices(7) != choices(8))
    }
}
