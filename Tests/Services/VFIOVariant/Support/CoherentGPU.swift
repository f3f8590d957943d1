// A GPU with coherent memory and its variant driver, in one process: the memory of 4 GiB and 700 MiB that keeps every rule of
// the split visible.

import Backing
import Clock
import Glibc
import GraceHopperDriver
import GraceHopperModel
import Leases
import Memory
import VFIOVariant

typealias GraceDevice = NVGraceDevice<InProcess<GraceHopperModel>>

final class CoherentGPU: Sendable {
    static let memoryBytes: UInt64 = 4 << 30 + 700 << 20
    /// What of it is usable (region 4) and reserved (region 2).
    static let usableBytes: UInt64 = 0xE000_0000
    static let reservedBytes: UInt64 = 0x4BC0_0000

    let census = Census()
    let device: GraceDevice
    let memory: PhysicalMemory
    private let function: InProcess<GraceHopperModel>

    var model: GraceHopperModel { function.model }

    init(memoryBytes: UInt64 = CoherentGPU.memoryBytes) throws {
        var options = GraceHopperOptions()
        options.memory.byteCount = memoryBytes
        let model = try GraceHopperModel(options: options, clock: .monotonic)
        guard let memory = model.physicalMemory else { throw VFIOError(ENOMEM, "the model has no memory") }
        self.memory = memory
        function = InProcess(model, name: "gpu", census: census)
        device = try NVGraceDevice(
            function,
            properties: model.properties,
            memory: memory,
            clock: .monotonic,
            census: census
        )
    }
}
