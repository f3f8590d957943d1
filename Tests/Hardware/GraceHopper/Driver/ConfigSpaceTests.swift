// Configuration space with BARs in it that the device does not have: the rows of the table, and every width at every place
// against a reference, over both places and both generations. Source of truth: nvgrace_gpu_read_config_emu and
// nvgrace_gpu_write_config_emu (nvgrace-gpu/main.c); where an access touches more than one owner, PCI's own rules.

import Backing
import GraceHopperDriver
import GraceHopperModel
import PCIe
import Simulation
import Testing
import VFIOVariant

/// Writes and reads of configuration space, in order.
struct ConfigRow: Sendable, CustomTestStringConvertible {
    enum Step: Sendable {
        case write(UInt64, [UInt8])
        case read(UInt64, [UInt8])
    }

    let name: String
    /// Of the device's memory: it makes the BARs' sizes.
    let memory: UInt64
    let steps: [Step]

    var testDescription: String { name }

    private static func set(_ offset: UInt64, _ value: UInt64, _ count: Int = 4) -> Step {
        .write(offset, littleEndian(value, count))
    }
    private static func get(_ offset: UInt64, _ value: UInt64, _ count: Int = 4) -> Step {
        .read(offset, littleEndian(value, count))
    }

    /// BARs of 2 GiB and 128 GiB.
    private static let large: UInt64 = 97871 << 20
    /// BARs of 2 GiB and 4 GiB.
    private static let scaled: UInt64 = 4 << 30 + 700 << 20
    /// BARs of 1 GiB and 128 GiB.
    private static let exact: UInt64 = 96 << 30

    static let all = [
        ConfigRow(
            name: "after open",
            memory: large,
            steps: [get(0x18, 0xC), get(0x1C, 0), get(0x20, 0xC), get(0x24, 0)]
        ),
        ConfigRow(
            name: "sizing of 2 GiB",
            memory: large,
            steps: [set(0x18, 0xFFFF_FFFF), set(0x1C, 0xFFFF_FFFF), get(0x18, 0x8000_000C), get(0x1C, 0xFFFF_FFFF)]
        ),
        ConfigRow(
            name: "sizing of 128 GiB",
            memory: large,
            steps: [set(0x20, 0xFFFF_FFFF), set(0x24, 0xFFFF_FFFF), get(0x20, 0xC), get(0x24, 0xFFFF_FFE0)]
        ),
        ConfigRow(
            name: "sizing of 4 GiB",
            memory: scaled,
            steps: [set(0x20, 0xFFFF_FFFF), set(0x24, 0xFFFF_FFFF), get(0x20, 0xC), get(0x24, 0xFFFF_FFFF)]
        ),
        ConfigRow(
            name: "sizing of 1 GiB",
            memory: exact,
            steps: [set(0x18, 0xFFFF_FFFF), set(0x1C, 0xFFFF_FFFF), get(0x18, 0xC000_000C), get(0x1C, 0xFFFF_FFFF)]
        ),
        ConfigRow(
            name: "an address",
            memory: large,
            steps: [set(0x18, 0), set(0x1C, 0x1000), .read(0x18, [0x0C, 0, 0, 0, 0, 0x10, 0, 0])]
        ),
        ConfigRow(name: "a byte", memory: large, steps: [set(0x1B, 0xC0, 1), get(0x18, 0x8000_000C)]),
        ConfigRow(
            name: "a word above",
            memory: large,
            steps: [set(0x1A, 0x8000, 2), get(0x1A, 0x8000, 2), get(0x1B, 0x80, 1)]
        ),
        ConfigRow(name: "a word below the size", memory: large, steps: [set(0x18, 0x1234, 2), get(0x18, 0xC, 2)]),
        ConfigRow(name: "single bytes", memory: large, steps: [get(0x18, 0xC, 1), get(0x21, 0, 1)]),
        ConfigRow(name: "the flags cannot be written", memory: large, steps: [set(0x18, 0xF), get(0x18, 0xC)]),
        ConfigRow(
            name: "eight bytes before region 2",
            memory: large,
            steps: [
                set(0x10, 0), set(0x14, 0x0000_0001_0000_0012, 8), get(0x14, 0x12), get(0x18, 0xC),
                set(0x14, 0x8000_0000_0000_0034, 8), get(0x14, 0x34), get(0x18, 0x8000_000C),
                get(0x14, 0x8000_000C_0000_0034, 8),
            ]
        ),
        ConfigRow(
            name: "eight bytes across both",
            memory: large,
            steps: [
                set(0x1C, 0xFFFF_FFFF_0000_0012, 8), get(0x1C, 0x0000_000C_0000_0012, 8), get(0x1C, 0x12),
                set(0x24, 0xFFFF_FFFF), get(0x20, 0xFFFF_FFE0_0000_000C, 8),
            ]
        ),
        ConfigRow(
            name: "eight bytes in one",
            memory: large,
            steps: [set(0x18, 0x45_8000_0000, 8), get(0x18, 0x45_8000_000C, 8)]
        ),
        ConfigRow(
            name: "eight bytes behind region 4",
            memory: large,
            steps: [set(0x24, 0x20, 8), get(0x24, 0x20, 8), get(0x28, 0)]
        ),
        ConfigRow(
            name: "all six registers",
            memory: large,
            steps: [
                .write(0x10, [UInt8](repeating: 0xFF, count: 24)),
                // 16 MiB, 2 GiB, 128 GiB.
                .read(
                    0x10,
                    littleEndian(0xFFFF_FFFF_FF00_000C, 8) + littleEndian(0xFFFF_FFFF_8000_000C, 8)
                        + littleEndian(0xFFFF_FFE0_0000_000C, 8)
                ),
            ]
        ),
    ]
}

/// The space as it has to be: the fake registers by hand, the rest by another GPU, byte by byte.
private struct ReferenceSpace {
    private let function: GraceHopperModel
    private var stored: [UInt64: UInt8] = [:]
    /// First offset and BAR size of each fake register.
    private let registers: [(offset: UInt64, byteCount: UInt64)]

    init(_ generation: Generation) throws {
        let rig = try Rig(generation)
        function = rig.model
        function.assignBARs()
        switch generation {
        case .hopper: registers = [(0x18, 2 << 30), (0x20, 4 << 30)]
        case .blackwell: registers = [(0x20, 8 << 30)]
        }
    }

    private func register(_ place: UInt64) -> (offset: UInt64, byteCount: UInt64)? {
        registers.first { ($0.offset..<$0.offset + 8).contains(place) }
    }

    mutating func write(_ offset: UInt64, _ bytes: [UInt8]) {
        for (index, byte) in bytes.enumerated() {
            let place = offset + UInt64(index)
            guard register(place) == nil else {
                stored[place] = byte
                continue
            }
            function.writeConfig(UInt16(place), .byte, UInt64(byte))
        }
    }

    func read(_ offset: UInt64, _ count: Int) -> [UInt8] {
        (0..<UInt64(count)).map { index in
            let place = offset + index
            guard let register = register(place) else {
                return UInt8(truncatingIfNeeded: function.readConfig(UInt16(place), .byte))
            }
            // The mask of the size, byte by byte, then the flags.
            let shift = 8 * (place - register.offset)
            let mask = UInt8(truncatingIfNeeded: (0 &- register.byteCount) >> shift)
            return (stored[place] ?? 0) & mask | (shift == 0 ? 0xC : 0)
        }
    }
}

/// One run over all widths and places.
struct Straddle: Sendable, CustomTestStringConvertible {
    let place: Place
    let generation: Generation

    var testDescription: String { "\(generation) \(place)" }

    static let all = Place.allCases.flatMap { place in
        Generation.allCases.map { Straddle(place: place, generation: $0) }
    }
}

@Suite("Configuration space with the fake BARs in it")
struct ConfigSpaceTests {
    @Test("Every row of the table", arguments: ConfigRow.all, Place.allCases)
    func rows(row: ConfigRow, place: Place) throws {
        let rig = try Rig { $0.memory.byteCount = row.memory }
        let device = try rig.open(place)
        defer { device.close() }
        for step in row.steps {
            switch step {
            case .write(let offset, let bytes):
                #expect(try device.write(VFIORegion.config, offset, bytes) == bytes.count)
            case .read(let offset, let bytes):
                #expect(try device.read(VFIORegion.config, offset, bytes.count) == bytes)
            }
        }
    }

    @Test("Every width at every place reads and writes as byte by byte", arguments: Straddle.all)
    func straddles(straddle: Straddle) throws {
        let rig = try Rig(straddle.generation)
        let device = try rig.open(straddle.place)
        defer { device.close() }
        var reference = try ReferenceSpace(straddle.generation)
        #expect(try device.read(VFIORegion.config, 0, 64) == reference.read(0, 64), "after open")
        var random = SeededRandom(seed: 0x10)
        for width in [1, 2, 4, 8, 16, 24] {
            for offset in UInt64(0x10)...0x27 {
                for _ in 0..<3 {
                    let bytes = (0..<width).map { _ in
                        Bool.random(using: &random) ? 0xFF : UInt8.random(in: 0...255, using: &random)
                    }
                    #expect(try device.write(VFIORegion.config, offset, bytes) == width)
                    reference.write(offset, bytes)
                    #expect(try device.read(VFIORegion.config, offset, width) == reference.read(offset, width))
                }
                let whole = try device.read(VFIORegion.config, 0, 64)
                #expect(whole == reference.read(0, 64), "\(width) bytes at \(offset)")
            }
        }
        // Every way to read what was written last.
        for width in [1, 2, 4, 8, 16, 24] {
            for offset in UInt64(0x10)...0x27 {
                #expect(try device.read(VFIORegion.config, offset, width) == reference.read(offset, width))
            }
        }
    }

    @Test("All of configuration space comes in one read, as in single ones", arguments: Straddle.all)
    func wholeSpace(straddle: Straddle) throws {
        let device = try Rig(straddle.generation).open(straddle.place)
        defer { device.close() }
        let whole = try device.read(VFIORegion.config, 0, 4096)
        let single = try (0..<1024).flatMap { try device.read(VFIORegion.config, UInt64($0) * 4, 4) }
        #expect(whole == single)
        #expect(whole.prefix(2) == [0xDE, 0x10])
    }

    @Test("A write that leaves configuration space is refused, and nothing of it is done", arguments: Place.allCases)
    func beyondTheSpace(place: Place) throws {
        let device = try Rig().open(place)
        defer { device.close() }
        #expect(code { () throws(VFIOError) in try device.write(VFIORegion.config, 4095, [0, 0]) } != 0)
        #expect(code { () throws(VFIOError) in _ = try device.read(VFIORegion.config, 4096, 1) } != 0)
        #expect(code { () throws(VFIOError) in _ = try device.read(VFIORegion.config, .max, 8) } != 0)
        #expect(code { () throws(VFIOError) in _ = try device.write(VFIORegion.config, .max - 3, [1, 2, 3, 4]) } != 0)
    }
}
