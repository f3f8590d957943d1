// A program that has the GPU as a VFIO device file: the calls of Linux's.

import Clock
import Glibc
import GraceHopperModel
import Leases
import Memory
import VFIOVariant

/// The local caller of the story.
struct FileCaller: ~Copyable {
    let file: VFIOFile
    private let memory: GPUMemory

    init(_ gpu: VirtualGraceHopper, _ memory: GPUMemory) throws(VFIOError) {
        let file = try VFIOFile(gpu.device, census: gpu.census)
        // As a program must before it touches memory.
        try file.write([2, 0], region: VFIORegion.config, at: 4)
        self.file = file
        self.memory = memory
    }

    /// Writes and reads at an edge.
    func run(_ edge: EdgeCase, seed: Int) -> EdgeOutcome {
        let pattern = edge.pattern(seed)
        let before = memory.bytes(edge)
        do throws(VFIOError) {
            let told = try file.write(pattern, region: edge.region, at: edge.offset)
            let read = try file.read(edge.count, region: edge.region, at: edge.offset)
            return .of(written: pattern, told: told, read: read, before: before, memory: memory.bytes(edge))
        } catch {
            return .refused(errno: error.code)
        }
    }

    /// What is mapped of a region, or the error's number: whole memory, one page more, privately.
    func map(region: Int, at offset: UInt64, byteCount: UInt64, flags: Int32 = MAP_SHARED) -> Int32 {
        do throws(VFIOError) {
            _ = try file.map(
                byteCount: Int(byteCount),
                at: Int64(region) << VFIOFile.regionShift + Int64(offset),
                flags: flags
            )
            return 0
        } catch {
            return error.code
        }
    }
}

extension VFIOFile {
    /// Resets the device.
    func reset() throws(VFIOError) {
        // SAFETY: the request has no argument.
        unsafe try ioctl(DeviceRequest.reset.rawValue, nil)
    }

    /// Bytes written.
    @discardableResult
    func write(_ bytes: [UInt8], region: Int, at offset: UInt64) throws(VFIOError) -> Int {
        // SAFETY: the array stays for the call.
        let result = unsafe bytes.withUnsafeBytes { buffer -> Result<Int, VFIOError> in
            guard let start = buffer.baseAddress else { return .success(0) }
            let place = Int64(region) << VFIOFile.regionShift + Int64(offset)
            return Result { () throws(VFIOError) in
                unsafe try pwrite(start, count: bytes.count, at: place)
            }
        }
        return try result.get()
    }

    /// The bytes that were there to be read.
    func read(_ count: Int, region: Int, at offset: UInt64) throws(VFIOError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: as above.
        let result = unsafe bytes.withUnsafeMutableBytes { buffer -> Result<Int, VFIOError> in
            guard let start = buffer.baseAddress else { return .success(0) }
            let place = Int64(region) << VFIOFile.regionShift + Int64(offset)
            return Result { () throws(VFIOError) in unsafe try pread(start, count: count, at: place) }
        }
        return Array(bytes.prefix(try result.get()))
    }
}

/// The GPU's memory as the host that owns it has it, without anybody between.
struct GPUMemory {
    private let model: GraceHopperModel
    /// Where in the memory the regions begin.
    private let starts: [Int: UInt64]

    init(_ model: GraceHopperModel, starts: [Int: UInt64]) {
        self.model = model
        self.starts = starts
    }

    /// What is at an edge; fewer bytes where the memory ends.
    func bytes(_ edge: EdgeCase) -> [UInt8] {
        guard let memory = model.physicalMemory, let start = starts[edge.region] else { return [] }
        let place = start + edge.offset
        guard place < memory.byteCount else { return [] }
        let end = min(place + UInt64(edge.count), memory.byteCount)
        // SAFETY: inside the memory.
        return (place..<end).map { unsafe memory.bytes[Int($0)] }
    }

    /// Bytes of the memory that are there, and not merely promised.
    var allocatedByteCount: UInt64 {
        guard let memory = model.physicalMemory else { return 0 }
        var status = stat()
        // SAFETY: the address of a local.
        guard unsafe fstat(memory.fileDescriptor, &status) == 0 else { return 0 }
        return UInt64(status.st_blocks) * 512
    }
}
