// The numbers that are nobody's, with the lowest at hand whatever their count.

/// A subset of `0..<count`: a bit per number, and a bit per word that has any.
struct FreeNumbers {
    /// Two levels of 64 bits.
    static let countLimit = 64 * 64

    private var words: [UInt64]
    private var wordsWithAny: UInt64

    init(all count: Int) {
        precondition((0...Self.countLimit).contains(count), "two words deep")
        words = (0..<(count + 63) / 64).map { word in
            let bits = min(64, count - word * 64)
            return bits == 64 ? .max : 1 << UInt64(bits) - 1
        }
        wordsWithAny = words.count == 64 ? .max : 1 << UInt64(words.count) - 1
    }

    var lowest: Int? {
        guard wordsWithAny != 0 else { return nil }
        let word = wordsWithAny.trailingZeroBitCount
        return word * 64 + words[word].trailingZeroBitCount
    }

    mutating func remove(_ number: Int) {
        words[number / 64] &= ~(1 << UInt64(number % 64))
        if words[number / 64] == 0 { wordsWithAny &= ~(1 << UInt64(number / 64)) }
    }

    mutating func insert(_ number: Int) {
        words[number / 64] |= 1 << UInt64(number % 64)
        wordsWithAny |= 1 << UInt64(number / 64)
    }
}
