// A virtual Grace Hopper GPU in this process, with our variant driver over it. Nothing here has a thread: accesses of the
// driver run on its caller's.

import Backing
import Clock
import GraceHopperDriver
import GraceHopperModel
import Leases
import VFIOVariant

/// The model, and the driver that lends it.
public struct VirtualGraceHopper {
    public typealias Device = NVGraceDevice<InProcess<GraceHopperModel>>

    public let model: GraceHopperModel
    public let device: Device
    public let census: Census

    /// - Parameters:
    ///   - name: in errors.
    ///   - clock: the time that readiness, and the driver's patience, go by.
    /// - Throws: what the system or the driver says; the driver waits for memory to get ready, up to half a minute.
    public init(
        _ options: GraceHopperOptions,
        name: String = "virtual:gracehopper",
        clock: DeviceClock = .monotonic,
        census: Census = Census()
    ) throws {
        let model = try GraceHopperModel(options: options, clock: clock)
        self.model = model
        self.census = census
        device = try NVGraceDevice(
            InProcess(model, name: name, census: census),
            properties: model.properties,
            memory: model.physicalMemory,
            clock: clock,
            census: census
        )
    }

    /// What a VM gets.
    public func export() throws(VFIOError) -> ExportedFunction<Device> { try ExportedFunction(device, over: model) }
}
