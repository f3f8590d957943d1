// A set of CPU numbers, read and printed in the form of the kernel's lists (Documentation/admin-guide/cputopology.rst,
// lib/bitmap-str.c: bitmap_parselist): `0-3,8`.

/// CPUs of a machine.
public struct CPUSet: Hashable, Sendable {
    /// As many CPUs as any Linux can be built for, and then some: a list from a file cannot make us fill the memory.
    public static let numberLimit = 65_536

    /// A bit per CPU; the last word is never 0, so equal sets have equal words.
    private var words: [UInt64] = []

    public init() {}

    /// - Precondition: all are in `0..<numberLimit`.
    public init(_ cpus: some Sequence<Int>) {
        for cpu in cpus { insert(cpu) }
    }

    /// The set that `list` names, nil if it is no list. White space around it is left out; an empty list is an empty set.
    public init?(list: some StringProtocol) {
        guard let first = list.firstIndex(where: { !$0.isWhitespace }),
            let last = list.lastIndex(where: { !$0.isWhitespace })
        else { return }
        for range in list[first...last].split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            // Int takes a sign, a list does not.
            guard range.allSatisfy({ $0.isNumber || $0 == "-" }), let low = Int(ends[0]),
                let high = Int(ends[ends.count - 1]),
                0 <= low, low <= high, high < Self.numberLimit
            else { return nil }
            for cpu in low...high { insert(cpu) }
        }
    }

    public mutating func insert(_ cpu: Int) {
        precondition((0..<Self.numberLimit).contains(cpu), "a CPU number is 0 to \(Self.numberLimit - 1)")
        while words.count <= cpu / 64 { words.append(0) }
        words[cpu / 64] |= 1 << UInt64(cpu % 64)
    }

    public func contains(_ cpu: Int) -> Bool {
        cpu >= 0 && cpu / 64 < words.count && words[cpu / 64] & 1 << UInt64(cpu % 64) != 0
    }

    public var isEmpty: Bool { words.isEmpty }
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// The lowest; nil in an empty set.
    public var first: Int? {
        words.firstIndex { $0 != 0 }.map { $0 * 64 + words[$0].trailingZeroBitCount }
    }

    /// All of them, ascending.
    public var numbers: [Int] { words.indices.flatMap { word in (0..<64).map { word * 64 + $0 } }.filter(contains) }

    public func union(_ other: CPUSet) -> CPUSet {
        var result = words.count < other.words.count ? other : self
        let shorter = words.count < other.words.count ? self : other
        for index in shorter.words.indices { result.words[index] |= shorter.words[index] }
        return result
    }

    public func intersection(_ other: CPUSet) -> CPUSet {
        CPUSet(words: zip(words, other.words).map { $0 & $1 })
    }

    public func subtracting(_ other: CPUSet) -> CPUSet {
        var result = words
        for index in result.indices.prefix(other.words.count) { result[index] &= ~other.words[index] }
        return CPUSet(words: result)
    }

    private init(words: [UInt64]) {
        self.words = words
        while self.words.last == 0 { self.words.removeLast() }
    }
}

extension CPUSet: CustomStringConvertible, ExpressibleByArrayLiteral {
    public init(arrayLiteral cpus: Int...) { self.init(cpus) }

    /// The kernel's list form; empty for an empty set.
    public var description: String {
        var ranges: [(first: Int, last: Int)] = []
        for cpu in numbers {
            if let last = ranges.last, last.last + 1 == cpu {
                ranges[ranges.count - 1].last = cpu
            } else {
                ranges.append((cpu, cpu))
            }
        }
        return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }
}
