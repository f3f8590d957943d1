// Ours: the nvgrace driver over the model of the GPU, by the calls that a VFIO device descriptor has.
//
// SAFETY (whole file): pointers are the caller's, and may be anything (`VFIOFile`).

import Backing
import Clock
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import VFIOVariant

final class InProcessDeviceFile: DeviceFile {
    private let file: VFIOFile

    /// - Parameters:
    ///   - part: the GPU's device id.
    ///   - base: of the device's memory, in the machine's addresses.
    ///   - byteCount: of that memory.
    init(part: GraceHopperPart, base: UInt64, byteCount: UInt64) throws {
        var options = GraceHopperOptions()
        options.part = part
        options.memory.base = base
        options.memory.byteCount = byteCount
        let clock = DeviceClock.monotonic
        let model = try GraceHopperModel(options: options, clock: clock)
        let census = Census()
        let device = try NVGraceDevice(
            InProcess(model, name: "nvgrace", census: census),
            properties: model.properties,
            memory: model.physicalMemory,
            clock: clock,
            census: census
        )
        file = try VFIOFile(device, census: census)
    }

    /// The call's result, or its error as the kernel has it.
    private func answer(_ call: () throws(VFIOError) -> Int) -> Int {
        do { return try call() } catch { return -Int(error.code) }
    }

    private func ioctl(_ request: DeviceRequest, _ argument: UnsafeMutableRawPointer?) -> Int {
        answer { () throws(VFIOError) in unsafe Int(try file.ioctl(request.rawValue, argument)) }
    }

    func regionInfo(_ argument: UnsafeMutableRawPointer) -> Int { unsafe ioctl(.getRegionInfo, argument) }

    func read(_ buffer: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64) -> Int {
        answer { () throws(VFIOError) in
            unsafe try file.pread(buffer, count: count, at: Int64(bitPattern: offset))
        }
    }

    func write(_ buffer: UnsafeRawPointer, _ count: Int, at offset: UInt64) -> Int {
        answer { () throws(VFIOError) in
            unsafe try file.pwrite(buffer, count: count, at: Int64(bitPattern: offset))
        }
    }

    func map(
        _ byteCount: Int,
        at offset: UInt64,
        isPrivate: Bool,
        _ use: (UnsafeMutableRawPointer) -> Void
    ) -> Int {
        answer { () throws(VFIOError) in
            let mapping = try file.map(
                byteCount: byteCount,
                at: Int64(bitPattern: offset),
                flags: isPrivate ? MAP_PRIVATE : MAP_SHARED
            )
            unsafe use(mapping.base)
            return 0
        }
    }

    func reset() -> Int { unsafe ioctl(.reset, nil) }
    func feature(_ argument: UnsafeMutableRawPointer) -> Int { unsafe ioctl(.feature, argument) }
    func ioeventfd(region: UInt32) -> Int { unsafe ioctl(.ioEventDescriptor, nil) }
}
