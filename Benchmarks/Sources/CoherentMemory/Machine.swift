// The device that is measured: a GPU with 480 GB of coherent memory, its variant driver, and its export to a client.

import Backing
import Clock
import Foundation
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import Measure
import Memory
import VFIOVariant

typealias GraceDevice = NVGraceDevice<InProcess<GraceHopperModel>>

/// A GPU in this process, and its driver.
final class Machine {
    static let memoryBytes: UInt64 = 480_000_000_000
    let census = Census()
    let model: GraceHopperModel
    let device: GraceDevice
    private let memory: PhysicalMemory

    init() throws {
        var options = GraceHopperOptions()
        options.part = GraceHopperPart.all[1]
        options.memory.byteCount = Self.memoryBytes
        model = try GraceHopperModel(options: options, clock: .monotonic)
        guard let memory = model.physicalMemory else { fail("coherent-memory: the GPU has no memory") }
        self.memory = memory
        device = try NVGraceDevice(
            InProcess(model, name: "gpu", census: census),
            properties: model.properties,
            memory: memory,
            clock: .monotonic,
            census: census
        )
    }

    /// What this process has in memory, and the file of the GPU's memory beside it, in MiB.
    func residentMebibytes() -> Double {
        var status = stat()
        // SAFETY: the address of a local.
        guard unsafe fstat(memory.fileDescriptor, &status) == 0 else { fail("coherent-memory: fstat") }
        return residentMebibytesOfProcess() + Double(status.st_blocks * 512) / 1_048_576
    }
}

/// VmRSS of this process.
func residentMebibytesOfProcess() -> Double {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
        let kibibytes = Double(line.filter { $0.isNumber })
    else { fail("/proc/self/status has no VmRSS") }
    return kibibytes / 1024
}
