// Reads and writes of the regions that show memory: the rows of the table on a device, and random ones against flat
// memory, over both places. Source of truth: nvgrace_gpu_read_mem and nvgrace_gpu_write_mem (nvgrace-gpu/main.c).

import Glibc
import GraceHopperDriver
import GraceHopperModel
import Simulation
import Testing
import VFIOVariant

/// The parts of a `Rig`'s memory.
enum Part: Int, Sendable, CaseIterable {
    case reserved = 2
    case usable = 4

    var memory: UInt64 { self == .usable ? 0xE000_0000 : 0x4BC0_0000 }
    var bar: UInt64 { self == .usable ? 0x1_0000_0000 : 0x8000_0000 }
    /// Physical address of its first byte.
    var base: UInt64 { self == .usable ? Rig.base : Rig.base + 0xE000_0000 }
}

private let ones: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
private let pattern: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

@Suite("Reads and writes of coherent memory")
struct MemoryAccessTests {
    @Test("Reads at the edges of memory and BAR", arguments: Part.allCases, Place.allCases)
    func reads(part: Part, place: Place) throws {
        let rig = try Rig()
        let device = try rig.open(place)
        defer { device.close() }
        try rig.store(pattern, at: part.base + part.memory - 8)
        let (region, memory, bar) = (part.rawValue, part.memory, part.bar)
        #expect(try device.read(region, memory - 8, 8) == pattern)
        #expect(try device.read(region, memory - 4, 8) == [5, 6, 7, 8, 0xFF, 0xFF, 0xFF, 0xFF])
        #expect(try device.read(region, memory - 4, 4) == [5, 6, 7, 8])
        #expect(try device.read(region, memory - 1, 2) == [8, 0xFF])
        #expect(try device.read(region, memory, 8) == ones)
        #expect(try device.read(region, memory, 4) == Array(ones[..<4]))
        #expect(try device.read(region, bar - 8, 8) == ones)
        #expect(try device.read(region, bar - 4, 8) == Array(ones[..<4]))
        #expect(try device.read(region, bar - 1, 0) == [])
        for (offset, count) in [(bar, 1), (bar, 0), (.max, 1), (.max - 7, 16)] {
            #expect(code { () throws(VFIOError) in _ = try device.read(region, offset, count) } == EINVAL)
        }
        #expect(device.counters.refusedReads == 4)
        #expect(device.counters.readsBeyondMemory == 6)
    }

    @Test("Writes at the edges of memory and BAR", arguments: Part.allCases, Place.allCases)
    func writes(part: Part, place: Place) throws {
        let rig = try Rig()
        let device = try rig.open(place)
        defer { device.close() }
        let (region, memory, bar) = (part.rawValue, part.memory, part.bar)
        #expect(try device.write(region, memory - 4, pattern) == 8)
        #expect(try device.read(region, memory - 8, 8) == [0, 0, 0, 0, 1, 2, 3, 4])
        #expect(try device.write(region, memory, pattern) == 8)
        #expect(try device.write(region, bar - 4, pattern) == 4)
        #expect(try device.write(region, bar - 1, []) == 0)
        #expect(code { () throws(VFIOError) in try device.write(region, bar, [1]) } == EINVAL)
        #expect(code { () throws(VFIOError) in try device.write(region, bar, []) } == EINVAL)
        #expect(code { () throws(VFIOError) in try device.write(region, .max, pattern) } == EINVAL)
        #expect(try rig.memory(at: part.base + memory - 8, 8) == [0, 0, 0, 0, 1, 2, 3, 4])
        // What is behind one part is the other's, or nobody's.
        if part == .usable { #expect(try rig.memory(at: part.base + memory, 8) == [0, 0, 0, 0, 0, 0, 0, 0]) }
        #expect(device.counters.refusedWrites == 3)
        #expect(device.counters.writesBeyondMemory == 3)
    }

    @Test("The last byte of one part and the first of the other are two", arguments: Place.allCases)
    func seam(place: Place) throws {
        let rig = try Rig()
        let device = try rig.open(place)
        defer { device.close() }
        try device.write(4, Part.usable.memory - 2, [0x11, 0x22, 0x33, 0x44])
        #expect(try device.read(2, 0, 2) == [0, 0])
        try device.write(2, 0, [0x55, 0x66])
        #expect(try device.read(4, Part.usable.memory - 2, 4) == [0x11, 0x22, 0xFF, 0xFF])
        #expect(try rig.memory(at: Part.reserved.base - 2, 4) == [0x11, 0x22, 0x55, 0x66])
        #expect(device.physicalAddresses(ofRegion: 4) == Rig.base..<Part.reserved.base)
        #expect(device.physicalAddresses(ofRegion: 2) == Part.reserved.base..<Rig.base + Rig.memoryByteCount)
        #expect(device.physicalAddresses(ofRegion: 0) == nil)
    }

    /// Memory as one stretch, of which each part shows a range; windows of it at the edges are kept as they have to be.
    private struct FlatMemory {
        static let width = 8192
        var bytes: [UInt64: [UInt8]] = [:]

        /// The window that holds `address`, and where in it.
        private func find(_ address: UInt64) -> (UInt64, Int) {
            (address / UInt64(Self.width), Int(address % UInt64(Self.width)))
        }

        subscript(address: UInt64) -> UInt8 {
            get {
                let (window, place) = find(address)
                return bytes[window]?[place] ?? 0
            }
            set {
                let (window, place) = find(address)
                bytes[window, default: [UInt8](repeating: 0, count: Self.width)][place] = newValue
            }
        }
    }

    @Test("Random accesses of both parts agree with flat memory", arguments: [1, 2, 3, 4], Place.allCases)
    func agreesWithFlatMemory(seed: UInt64, place: Place) throws {
        let rig = try Rig()
        let device = try rig.open(place)
        defer { device.close() }
        var random = SeededRandom(seed: seed)
        var flat = FlatMemory()
        for _ in 0..<600 {
            let part = Bool.random(using: &random) ? Part.usable : .reserved
            let edges: [UInt64] = [0, 4096, part.memory, part.memory, part.bar]
            let edge = edges[Int.random(in: 0..<edges.count, using: &random)]
            let offset = max(edge, 600) - 600 + UInt64.random(in: 0...1200, using: &random)
            let count = Int.random(in: 0...900, using: &random)
            let places = (0..<UInt64(count)).map { offset + $0 }.filter { $0 < part.bar }
            guard offset < part.bar else {
                #expect(code { () throws(VFIOError) in _ = try device.read(part.rawValue, offset, count) } == EINVAL)
                continue
            }
            if Bool.random(using: &random) {
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                #expect(try device.write(part.rawValue, offset, bytes) == places.count)
                for place in places where place < part.memory {
                    flat[part.base + place] = bytes[Int(place - offset)]
                }
            }
            let expected = places.map { $0 < part.memory ? flat[part.base + $0] : 0xFF }
            #expect(try device.read(part.rawValue, offset, count) == expected, "\(count) at \(offset) of \(part)")
        }
    }

    @Test("A long read across the edge has every byte right", arguments: Part.allCases)
    func longTail(part: Part) throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        try rig.store(pattern, at: part.base + part.memory - 8)
        let bytes = try device.read(part.rawValue, part.memory - 8, 4 << 20)
        #expect(bytes.count == 4 << 20)
        #expect(bytes.prefix(8) == pattern[...])
        #expect(bytes.dropFirst(8).allSatisfy { $0 == 0xFF })
    }

    /// As much as a rack's worth of this machine's memory; what is not touched costs nothing.
    @Test("The largest parts are used at their far ends", arguments: [96 << 30, 480_000_000_000] as [UInt64])
    func largeMemory(byteCount: UInt64) throws {
        let rig = try Rig { $0.memory.byteCount = byteCount }
        let device = try rig.open()
        defer { device.close() }
        for region in [2, 4] {
            let addresses = try #require(device.physicalAddresses(ofRegion: region))
            let length = addresses.upperBound - addresses.lowerBound
            #expect(try device.write(region, length - 8, pattern) == 8)
            #expect(try device.read(region, length - 4, 8).prefix(4) == [5, 6, 7, 8])
            let mapping = try device.map(region: region, (length & ~4095) - 4096..<length & ~4095)
            // SAFETY: a page is mapped.
            let seen = unsafe mapping.base.load(fromByteOffset: 4088, as: UInt64.self)
            #expect(seen == 0x0807_0605_0403_0201)
            #expect(try rig.memory(at: addresses.upperBound - 8, 8) == pattern)
        }
    }
}
