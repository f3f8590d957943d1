// The driver on a virtual GPU, in either place: in this process, or behind a vfio-user socket. One thread, virtual time.

import Backing
import Clock
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import Memory
import PCIe
import VFIOUser
import VFIOVariant

/// Where the GPU of a `Rig` is.
enum Place: String, Sendable, CaseIterable {
    case inProcess
    case behindSocket
}

/// What a GPU has besides its memory.
enum Generation: String, Sendable, CaseIterable {
    /// A stretch of its memory is kept uncached.
    case hopper
    /// All of its memory is one part, and the function's own BAR 1 is seen.
    case blackwell

    var part: GraceHopperPart { GraceHopperPart.all[self == .hopper ? 1 : 3] }
}

/// A virtual GPU, its machine's clock, and the count of what is on loan.
final class Rig {
    /// 4 GiB and 700 MiB: usable 0xE000_0000 in a BAR of 4 GiB, reserved 0x4BC0_0000 in one of 2 GiB.
    static let memoryByteCount: UInt64 = 4 << 30 + 700 << 20
    static let base: UInt64 = 0x4000_0000_0000

    let clock = VirtualClock(startNanoseconds: 1_000_000_000)
    let census = Census()
    let model: GraceHopperModel

    init(_ generation: Generation = .hopper, _ change: (inout GraceHopperOptions) -> Void = { _ in }) throws {
        var options = GraceHopperOptions()
        options.part = generation.part
        options.memory.base = Self.base
        options.memory.byteCount = Self.memoryByteCount
        change(&options)
        model = try GraceHopperModel(options: options, clock: .virtual(clock))
    }

    /// The function in this process.
    func inProcess() -> InProcess<GraceHopperModel> { InProcess(model, name: "test:gpu", census: census) }

    /// The driver on any backing.
    func take<Backing: PCIeBacking & Sendable>(
        _ backing: Backing,
        properties: FirmwareProperties? = nil
    ) throws(VFIOError) -> NVGraceDevice<Backing> {
        try NVGraceDevice(
            backing,
            properties: properties ?? model.properties,
            memory: model.physicalMemory,
            clock: .virtual(clock),
            census: census
        )
    }

    /// The driver on the function in this process, not open yet.
    func device() throws(VFIOError) -> NVGraceDevice<InProcess<GraceHopperModel>> { try take(inProcess()) }

    /// The driver with the function where `place` says, open.
    func open(_ place: Place = .inProcess) throws -> any GraceDevice {
        let device: any GraceDevice
        switch place {
        case .inProcess: device = try self.device()
        case .behindSocket:
            let pair = try UnixSocket.pair()
            let server = ServedGPU(model, pair.second)
            var options = VFIOUserOptions()
            options.whileWaiting = { server.takeTurn() }
            let backing = try VFIOUserBacking(pair.first, name: "test:gpu", options: options, census: census)
            device = try take(backing)
        }
        try device.open()
        return device
    }

    /// Bytes of the memory itself, at a physical address.
    func memory(at address: UInt64, _ count: Int) throws -> [UInt8] {
        guard let memory = model.physicalMemory, let offset = memory.fileOffset(of: address, byteCount: UInt64(count))
        else { throw VFIOError(-1, "no memory at \(address)") }
        // SAFETY: inside the memory, as just found.
        return (0..<count).map { unsafe memory.bytes[Int(offset) + $0] }
    }

    /// Puts bytes into the memory, as the GPU does.
    func store(_ bytes: [UInt8], at address: UInt64) throws {
        guard let memory = model.physicalMemory,
            let offset = memory.fileOffset(of: address, byteCount: UInt64(bytes.count))
        else { throw VFIOError(-1, "no memory at \(address)") }
        // SAFETY: as in `memory(at:_:)`.
        for (index, byte) in bytes.enumerated() { unsafe memory.bytes[Int(offset) + index] = byte }
    }
}

/// The driver, whatever its backing.
protocol GraceDevice: VFIODevice {
    var lending: CoherentLending { get }
    var counters: NVGraceCounters { get }
    func physicalAddresses(ofRegion index: Int) -> Range<UInt64>?
}

extension NVGraceDevice: GraceDevice {}

/// The server of a test's GPU. It works while its client waits, on the client's thread.
private final class ServedGPU: @unchecked Sendable {
    // SAFETY (Sendable): the test's one thread has both ends.
    private let server: VFIOUserServer<GraceHopperModel>

    init(_ model: GraceHopperModel, _ socket: consuming OwnedDescriptor) {
        server = VFIOUserServer(model, connection: socket)
    }

    func takeTurn() { _ = server.poll() }
}
