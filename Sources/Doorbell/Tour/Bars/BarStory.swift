// The story `gracehopper-bars`: a virtual Grace Hopper GPU's memory is lent as BARs that the GPU does not have. How it is
// split; what comes of accesses at every edge, of a program that has it as a VFIO file, and of a virtual machine that has it by
// vfio-user, held against the contract and against the memory itself; and how fast each way is.

import Clock
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import Memory
import VFIOVariant

/// Lends one GPU in both ways, and reports.
public struct BarStory: Sendable {
    public static let id = "gracehopper-bars"

    /// A part, how much memory it has, and what the parts and BARs must be: usable and reserved; 0: none.
    struct Split: Sendable {
        let device: UInt16
        let memory: UInt64
        let usable: UInt64
        let reserved: UInt64
        let usableBAR: UInt64
        let reservedBAR: UInt64
    }

    private static let gib: UInt64 = 1 << 30
    private static let mib: UInt64 = 1 << 20

    /// Sizes as boards have them, and where a BAR is just large enough.
    static let splits = [
        Split(
            device: 0x2342,
            memory: 96 * gib,
            usable: 95 * gib,
            reserved: gib,
            usableBAR: 128 * gib,
            reservedBAR: gib
        ),
        Split(
            device: 0x2342,
            memory: 97871 * mib,
            usable: 96768 * mib,
            reserved: 1103 * mib,
            usableBAR: 128 * gib,
            reservedBAR: 2 * gib
        ),
        Split(
            device: 0x2345,
            memory: 141 * gib,
            usable: 140 * gib,
            reserved: gib,
            usableBAR: 256 * gib,
            reservedBAR: gib
        ),
        Split(
            device: 0x2345,
            memory: 65 * gib + 256 * mib,
            usable: 64 * gib,
            reserved: gib + 256 * mib,
            usableBAR: 64 * gib,
            reservedBAR: 2 * gib
        ),
        Split(
            device: 0x2345,
            memory: 480 * gib,
            usable: 479 * gib,
            reserved: gib,
            usableBAR: 512 * gib,
            reservedBAR: gib
        ),
        Split(
            device: 0x2941,
            memory: 97871 * mib,
            usable: 97871 * mib,
            reserved: 0,
            usableBAR: 128 * gib,
            reservedBAR: 0
        ),
        Split(device: 0x31C2, memory: 279 * gib, usable: 279 * gib, reserved: 0, usableBAR: 512 * gib, reservedBAR: 0),
    ]

    /// Of the GPU that is lent: both parts end inside their BARs.
    public var memory = MemorySize(byteCount: 97871 * mib)

    public init() {}

    /// - Parameter progress: called before every chapter with its name, and how much of the story is done, 0...1.
    public func run(progress: (String, Double) -> Void) throws -> SystemReport {
        var failures: [String] = []
        progress("the split", 0)
        let splits = try Self.splits.map { split in
            let figures = try SplitFigures(split)
            if let problem = figures.problem(split) { failures.append(problem) }
            return figures
        }
        var card = GraceHopperCard()
        card.memory = memory
        let gpu = try VirtualGraceHopper(card.options)
        guard case .memory(let split) = gpu.device.lending, let reserved = split.reserved else {
            throw CannotRun(description: "a GPU whose memory is not split has no story")
        }
        let memory = GPUMemory(gpu.model, starts: [4: 0, 2: split.usable.byteCount])
        let edges = EdgeCase.all(split.usable, region: 4) + EdgeCase.all(reserved, region: 2)
        progress("the edges, as a file", 0.2)
        let (byFile, calls, bandwidth) = try lendAsFile(gpu, memory, split, edges, &failures, progress)
        progress("the edges, as a machine", 0.8)
        let byMachine = try lendToMachine(gpu, memory, split, edges, calls, &failures)
        let figures = edges.indices.map { EdgeFigures(edges[$0], file: byFile[$0], machine: byMachine.edges[$0]) }
        failures += figures.compactMap(\.problem)
        let allocated = memory.allocatedByteCount
        // Edges touch two pages each at most, which a kernel may make huge; the copies their window.
        let most = UInt64(Bandwidth.windowBytes + edges.count * 2 * SharedMemory.hugePageBytes)
        if allocated > most {
            failures.append("\(allocated) bytes of the memory are there, expected \(most) or fewer: the touched ones")
        }
        if !gpu.census.outstanding.isEmpty { failures.append("still on loan at the end: \(gpu.census.outstanding)") }
        return SystemReport(
            id: Self.id,
            held: failures.isEmpty,
            figures: .bars(
                BarFigures(
                    memoryByteCount: self.memory.byteCount,
                    allocatedByteCount: allocated,
                    splits: splits,
                    edges: figures,
                    calls: byMachine.calls,
                    bandwidth: bandwidth,
                    messagesPerSecond: byMachine.messagesPerSecond
                )
            ),
            failures: failures
        )
    }

    // MARK: A program's

    private func lendAsFile(
        _ gpu: VirtualGraceHopper,
        _ memory: GPUMemory,
        _ split: MemorySplit,
        _ edges: [EdgeCase],
        _ failures: inout [String],
        _ progress: (String, Double) -> Void
    ) throws -> (edges: [EdgeOutcome], calls: [CallFigures], bandwidth: [BandwidthRun]) {
        let caller = try FileCaller(gpu, memory)
        let outcomes = edges.enumerated().map { caller.run($1, seed: $0) }
        let calls = try fileCalls(caller, split)
        failures += calls.compactMap(\.problem)
        progress("bandwidth", 0.4)
        let (runs, problems) = try Bandwidth.measure(caller.file)
        failures += problems
        return (outcomes, calls, runs)
    }

    /// Calls that are no reads or writes of memory.
    private func fileCalls(_ caller: borrowing FileCaller, _ split: MemorySplit) throws -> [CallFigures] {
        let usable = split.usable.byteCount
        func outcome(_ code: Int32) -> String { "\(code == 0 ? "done" : code == EINVAL ? "EINVAL" : "errno \(code)")" }
        let page: UInt64 = 4096
        var calls = [
            CallFigures(
                "file",
                "map all of the usable memory",
                outcome(caller.map(region: 4, at: 0, byteCount: usable)),
                "done"
            ),
            CallFigures(
                "file",
                "map a page behind it",
                outcome(caller.map(region: 4, at: usable, byteCount: page)),
                "EINVAL"
            ),
            CallFigures(
                "file",
                "map across its end",
                outcome(caller.map(region: 4, at: usable - page, byteCount: 2 * page)),
                "EINVAL"
            ),
            CallFigures(
                "file",
                "map it privately",
                outcome(caller.map(region: 4, at: 0, byteCount: page, flags: MAP_PRIVATE)),
                "EINVAL"
            ),
        ]
        // All four registers of both BARs in one access, then what their sizes are.
        try caller.file.write([UInt8](repeating: 0xFF, count: 16), region: VFIORegion.config, at: 0x18)
        let sizing = try caller.file.read(16, region: VFIORegion.config, at: 0x18)
        let expected = Self.sizingBytes(split)
        calls.append(
            CallFigures("file", "size both BARs in one access", Self.hexBytes(sizing), Self.hexBytes(expected))
        )
        // From inside one BAR into the other: neither half is lost.
        try caller.file.write([0, 0, 0, 0x40, 0, 0, 0, 0], region: VFIORegion.config, at: 0x1C)
        let straddled = try caller.file.read(8, region: VFIORegion.config, at: 0x1C)
        calls.append(
            CallFigures("file", "write across both BARs", Self.hexBytes(straddled), "00 00 00 40 0c 00 00 00")
        )
        try caller.file.reset()
        let cleared = try caller.file.read(16, region: VFIORegion.config, at: 0x18)
        let none = "0c 00 00 00 00 00 00 00"
        calls.append(CallFigures("file", "BARs after a reset", Self.hexBytes(cleared), "\(none) \(none)"))
        return calls
    }

    // MARK: A machine's

    private func lendToMachine(
        _ gpu: VirtualGraceHopper,
        _ memory: GPUMemory,
        _ split: MemorySplit,
        _ edges: [EdgeCase],
        _ calls: [CallFigures],
        _ failures: inout [String]
    ) throws -> (edges: [EdgeOutcome?], calls: [CallFigures], messagesPerSecond: Double) {
        let machine = try MachineCaller(gpu, memory)
        var calls = calls
        func call(_ what: String, _ outcome: String, _ expected: String) {
            calls.append(CallFigures("machine", what, outcome, expected))
            if let problem = calls.last?.problem { failures.append(problem) }
        }
        let registers: [UInt16] = [0x18, 0x1C, 0x20, 0x24]
        func bars() throws -> [UInt8] { try registers.flatMap { Self.bytes(try machine.readConfig($0)) } }
        for register in registers { try machine.writeConfig(register, ~0) }
        call("size both BARs", Self.hexBytes(try bars()), Self.hexBytes(Self.sizingBytes(split)))
        // Memory space on, as after firmware.
        try machine.writeConfig(0x04, 0x2)
        let outcomes = try edges.enumerated().map { place, edge -> EdgeOutcome? in
            let bar = edge.region == 4 ? split.usable.barByteCount : split.reserved?.barByteCount ?? 0
            return edge.isPossible(inBARof: bar) ? try machine.run(edge, seed: 100 + place) : nil
        }
        let rate = try machine.messageRate(region: 4, at: split.usable.byteCount, count: 2000)
        call("the GPU interrupts", try machine.interrupt() ? "a message" : "nothing", "a message")
        try machine.reset()
        try machine.writeConfig(0x04, 0x2)
        // The last bytes of the usable memory are as they were written before the reset.
        let kept = edges.firstIndex { $0.region == 4 && $0.place == "last bytes of the memory" }
        if let kept {
            let before = edges[kept].pattern(100 + kept).prefix(4)
            call(
                "memory after a reset",
                memory.bytes(edges[kept]).prefix(4) == before ? "kept" : "lost",
                "kept"
            )
        }
        return (outcomes, calls, rate)
    }

    // MARK: Bytes

    /// What the registers of both BARs read as after all ones were written.
    private static func sizingBytes(_ split: MemorySplit) -> [UInt8] {
        [split.reserved?.barByteCount ?? 0, split.usable.barByteCount].flatMap { byteCount -> [UInt8] in
            let word = ~(byteCount - 1) | 0xC
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
    }

    private static func bytes(_ word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
    }

    private static func hexBytes(_ bytes: [UInt8]) -> String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined(separator: " ")
    }
}
