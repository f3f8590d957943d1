// Accesses where memory, BAR or address space end, and what must come of them. Source of truth: the contract of Linux's
// nvgrace-gpu driver, as it is documented in its source (drivers/vfio/pci/nvgrace-gpu/main.c).

import GraceHopperDriver

/// One access to a region that is memory in front and nothing behind: a write, then a read of the same place.
struct EdgeCase {
    let region: Int
    /// In words, e.g. `across the memory's end`.
    let place: String
    let offset: UInt64
    let count: Int
    let expected: EdgeOutcome

    /// Every case of one part of the memory.
    static func all(_ part: MemoryPart, region: Int) -> [EdgeCase] {
        let memory = part.byteCount
        let bar = part.barByteCount
        func edge(_ place: String, _ offset: UInt64, _ count: Int) -> EdgeCase {
            EdgeCase(
                region: region,
                place: place,
                offset: offset,
                count: count,
                expected: .of(offset: offset, count: count, memory: memory, bar: bar)
            )
        }
        var cases = [
            edge("first bytes", 0, 8), edge("last bytes of the memory", memory - 8, 8),
        ]
        // A part that fills its BAR has nothing behind it.
        if memory < bar {
            cases += [
                edge("across the memory's end", memory - 4, 8), edge("behind the memory", memory, 8),
                edge("last bytes of the BAR", bar - 8, 8),
            ]
        }
        return cases + [edge("across the BAR's end", bar - 4, 8), edge("behind the BAR", bar, 1)]
    }

    /// Whether a CPU can make it: it has no address behind a BAR.
    func isPossible(inBARof byteCount: UInt64) -> Bool { offset + UInt64(count) <= byteCount }

    /// What is written there: different at every place and for every way.
    func pattern(_ seed: Int) -> [UInt8] { (0..<count).map { UInt8(1 + (seed &* 31 &+ $0 &* 7) % 250) } }
}

/// What came of an access.
enum EdgeOutcome: Equatable, CustomStringConvertible {
    /// So many bytes were kept, and the others read as ones.
    case done(kept: Int, ones: Int)
    case refused(errno: Int32)
    case wrong(String)

    /// What must come of it.
    static func of(offset: UInt64, count: Int, memory: UInt64, bar: UInt64) -> EdgeOutcome {
        guard offset < bar else { return .refused(errno: 22) }
        let inBAR = min(UInt64(count), bar - offset)
        let kept = offset < memory ? min(inBAR, memory - offset) : 0
        return .done(kept: Int(kept), ones: Int(inBAR - kept))
    }

    /// What came of it, by what was written and read, and what the memory itself had and has from there on: behind a part of
    /// it is the other one, which must not change.
    static func of(written: [UInt8], told: Int, read: [UInt8], before: [UInt8], memory: [UInt8]) -> EdgeOutcome {
        guard told == read.count else { return .wrong("\(told) bytes written, \(read.count) read") }
        let kept = zip(written, read).prefix { $0 == $1 }.count
        guard read.dropFirst(kept).allSatisfy({ $0 == 0xFF }) else { return .wrong("read \(read) of \(written)") }
        guard Array(memory.prefix(kept)) == Array(written.prefix(kept)) else {
            return .wrong("the memory has \(memory.prefix(kept)), not \(written.prefix(kept))")
        }
        guard memory.dropFirst(kept) == before.dropFirst(kept) else {
            return .wrong("behind it the memory has \(memory.dropFirst(kept)), not \(before.dropFirst(kept))")
        }
        return .done(kept: kept, ones: read.count - kept)
    }

    var description: String {
        switch self {
        case .done(let kept, 0): "\(kept) kept"
        case .done(0, let ones): "\(ones) ones"
        case .done(let kept, let ones): "\(kept) kept, \(ones) ones"
        case .refused(errno: 22): "EINVAL"
        case .refused(let errno): "errno \(errno)"
        case .wrong(let what): what
        }
    }
}
