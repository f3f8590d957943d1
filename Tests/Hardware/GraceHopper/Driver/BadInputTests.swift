// Everything wrong that firmware and callers can say, through the calls of a VFIO device's descriptor. Each has its error,
// and leaves the device as it was.

import Backing
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import Memory
import Testing
import VFIOVariant

/// A wrong call, and the errno it gets; 0: it is answered after all.
struct BadInput: Sendable, CustomTestStringConvertible {
    enum Call: Sendable {
        /// Firmware's words at probe time.
        case properties([String: UInt64])
        /// GET_REGION_INFO with an `argsz`, for a region, with so many bytes of the caller's that can be touched.
        case regionInfo(size: UInt32, index: UInt32, room: Int)
        /// pread and pwrite at a place in the file, with so many bytes of the caller's that can be touched.
        case read(Int64, count: Int, room: Int)
        case write(Int64, count: Int, room: Int)
        case map(Int64, byteCount: Int, flags: Int32)
        case request(UInt)
    }

    let name: String
    let call: Call
    let code: Int32

    var testDescription: String { name }

    init(_ name: String, _ call: Call, _ code: Int32) {
        self.name = name
        self.call = call
        self.code = code
    }

    private static func place(_ region: Int64, _ offset: UInt64) -> Int64 { region << 40 + Int64(offset) }

    private static func properties(_ base: UInt64, _ byteCount: UInt64) -> Call {
        .properties([MemoryProperties.base: base, MemoryProperties.byteCount: byteCount])
    }

    static let all = firmware + regionInfo + accesses + mappings + requests

    private static let firmware = [
        BadInput("size 0", properties(Rig.base, 0), 0),
        BadInput("no size", .properties([MemoryProperties.base: Rig.base]), 0),
        BadInput("no base", .properties([MemoryProperties.byteCount: 1 << 32]), 0),
        BadInput("size 1", properties(Rig.base, 1), EOVERFLOW),
        BadInput("size not of pages", properties(Rig.base, 2 << 30 + 1), EINVAL),
        BadInput("size too small", properties(Rig.base, 1 << 30), EINVAL),
        BadInput("size near 2^64", properties(Rig.base, .max - 4095), EOVERFLOW),
        BadInput("largest size", properties(0, .max), EINVAL),
        BadInput("base 1", properties(1, 2 << 30), EINVAL),
        BadInput("base 0", properties(0, 2 << 30), ENOMEM),
        BadInput("base not of pages", properties(Rig.base + 512, 2 << 30), EINVAL),
        BadInput("base near 2^64", properties(.max - 4095, 2 << 30), EOVERFLOW),
        BadInput("more than the machine has", properties(Rig.base, 1 << 40), ENOMEM),
    ]

    private static let regionInfo = [
        BadInput("argsz too small by one", .regionInfo(size: 31, index: 4, room: 64), EINVAL),
        BadInput("argsz 0", .regionInfo(size: 0, index: 4, room: 64), EINVAL),
        BadInput("argsz without the capability", .regionInfo(size: 63, index: 4, room: 64), 0),
        BadInput("argsz huge", .regionInfo(size: .max, index: 4, room: 64), 0),
        BadInput("argsz huge, capability unwritable", .regionInfo(size: .max, index: 4, room: 40), EFAULT),
        BadInput("capability unwritable", .regionInfo(size: 64, index: 2, room: 32), EFAULT),
        BadInput("argument unreadable", .regionInfo(size: 64, index: 2, room: 31), EFAULT),
        BadInput("no argument at all", .regionInfo(size: 64, index: 2, room: 0), EFAULT),
        BadInput("region 8", .regionInfo(size: 64, index: 8, room: 64), EINVAL),
        BadInput("region 9", .regionInfo(size: 64, index: 9, room: 64), EINVAL),
        BadInput("largest region", .regionInfo(size: 64, index: .max, room: 64), EINVAL),
    ]

    private static let accesses = [
        BadInput("read at the BAR's end", .read(place(4, Part.usable.bar), count: 1, room: 1), EINVAL),
        BadInput("read of nothing at the BAR's end", .read(place(4, Part.usable.bar), count: 0, room: 1), EINVAL),
        BadInput("read far behind the BAR", .read(place(2, 1 << 40 - 8), count: 8, room: 8), EINVAL),
        BadInput("read of region 3", .read(place(3, 0), count: 8, room: 8), EINVAL),
        BadInput("read of region 5", .read(place(5, 0), count: 8, room: 8), EINVAL),
        BadInput("read of region 8", .read(place(8, 0), count: 8, room: 8), EINVAL),
        BadInput("read of no region", .read(.max - 7, count: 7, room: 8), EINVAL),
        BadInput("read at a negative place", .read(-8, count: 8, room: 8), EINVAL),
        BadInput("read whose end overflows", .read(.max, count: 8, room: 8), EINVAL),
        BadInput("read of a negative count", .read(place(4, 0), count: -1, room: 8), EINVAL),
        BadInput("memory into memory that is not there", .read(place(4, 0), count: 8, room: 7), EFAULT),
        BadInput("ones into memory that is not there", .read(place(4, Part.usable.memory), count: 8, room: 7), EFAULT),
        BadInput(
            "the tail of ones into memory that is not there",
            .read(place(4, Part.usable.memory - 4), count: 8, room: 4),
            EFAULT
        ),
        BadInput("the same of region 2", .read(place(2, Part.reserved.memory - 4), count: 8, room: 7), EFAULT),
        BadInput("configuration space likewise", .read(place(7, 0x18), count: 8, room: 4), EFAULT),
        BadInput("read behind configuration space", .read(place(7, 4096), count: 1, room: 1), EFAULT),
        BadInput("write at the BAR's end", .write(place(2, Part.reserved.bar), count: 1, room: 1), EINVAL),
        BadInput("write of region 5", .write(place(5, 0), count: 8, room: 8), EINVAL),
        BadInput("write whose end overflows", .write(.max, count: 8, room: 8), EINVAL),
        BadInput("write from memory that is not there", .write(place(4, 64), count: 8, room: 7), EFAULT),
        BadInput(
            "dropped write from memory that is not there",
            .write(place(4, Part.usable.memory), count: 8, room: 7),
            EFAULT
        ),
        BadInput("write of BARs from memory that is not there", .write(place(7, 0x18), count: 16, room: 8), EFAULT),
    ]

    private static let mappings = [
        BadInput(
            "mapping off the end by a page",
            .map(place(4, Part.usable.memory - 4096), byteCount: 8192, flags: MAP_SHARED),
            EINVAL
        ),
        BadInput(
            "mapping behind the memory",
            .map(place(2, Part.reserved.memory), byteCount: 4096, flags: MAP_SHARED),
            EINVAL
        ),
        BadInput("mapping of nothing", .map(place(4, 0), byteCount: 0, flags: MAP_SHARED), EINVAL),
        BadInput("mapping of a negative length", .map(place(4, 0), byteCount: -4096, flags: MAP_SHARED), EINVAL),
        BadInput("mapping of two regions", .map(place(2, 0), byteCount: 3 << 40, flags: MAP_SHARED), EINVAL),
        BadInput("mapping at no page", .map(place(4, 8), byteCount: 4096, flags: MAP_SHARED), EINVAL),
        BadInput("private mapping", .map(place(4, 0), byteCount: 4096, flags: MAP_PRIVATE), EINVAL),
        BadInput("mapping of region 0", .map(place(0, 0), byteCount: 4096, flags: MAP_SHARED), EINVAL),
        BadInput("mapping of region 3", .map(place(3, 0), byteCount: 4096, flags: MAP_SHARED), EINVAL),
        BadInput("mapping of region 5", .map(place(5, 0), byteCount: 4096, flags: MAP_SHARED), EINVAL),
        BadInput("mapping of configuration space", .map(place(7, 0), byteCount: 4096, flags: MAP_SHARED), EINVAL),
        BadInput("mapping whose end overflows", .map(-4096, byteCount: 8192, flags: MAP_SHARED), EOVERFLOW),
        BadInput("longest mapping", .map(place(4, 0), byteCount: .max, flags: MAP_SHARED), ENOMEM),
    ]

    private static let requests = [
        BadInput("IOEVENTFD", .request(DeviceRequest.ioEventDescriptor.rawValue), ENOTTY),
        BadInput("hot reset", .request(DeviceRequest.pciHotReset.rawValue), ENOTTY),
        BadInput("no request", .request(0), ENOTTY),
        BadInput("any request", .request(.max), ENOTTY),
    ]

    /// Makes the call on `file`, with a buffer of which only `room` bytes are there.
    func perform(on file: borrowing VFIOFile, _ buffer: borrowing CallerBuffer) throws(VFIOError) {
        // SAFETY: the calls take any address.
        switch call {
        case .properties: return
        case .regionInfo(let size, let index, let room):
            let argument = unsafe buffer.lastBytes(room)
            for (offset, value) in [(0, size), (4, 0), (8, index)] where offset + 4 <= room {
                unsafe argument.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
            }
            try unsafe file.ioctl(DeviceRequest.getRegionInfo.rawValue, argument)
        case .read(let place, let count, let room):
            _ = try unsafe file.pread(buffer.lastBytes(room), count: count, at: place)
        case .write(let place, let count, let room):
            _ = try unsafe file.pwrite(buffer.lastBytes(room), count: count, at: place)
        case .map(let place, let byteCount, let flags):
            _ = try file.map(byteCount: byteCount, at: place, flags: flags)
        case .request(let number):
            try unsafe file.ioctl(number, buffer.lastBytes(64))
        }
    }
}

@Suite("Bad input to a device with coherent memory")
struct BadInputTests {
    @Test("Each has its error, and the device is as it was", arguments: BadInput.all)
    func refused(input: BadInput) throws {
        let rig = try Rig()
        if case .properties(let values) = input.call {
            let result = code { () throws(VFIOError) in
                _ = try rig.take(rig.inProcess(), properties: FirmwareProperties(values))
            }
            #expect(result == input.code)
            #expect(rig.census.outstanding.isEmpty)
            return
        }
        let device = try rig.device()
        do {
            let file = try VFIOFile(device, census: rig.census)
            try device.setConfig(0x18, 8, 0x45_8000_0000)
            let edges: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
            for part in Part.allCases { try device.write(part.rawValue, part.memory - 8, edges) }
            let mapped = rig.census.outstanding
            let before = try device.read(VFIORegion.config, 0, 256)
            file.position = 0x123

            let buffer = try CallerBuffer()
            var result: Int32 = 0
            do throws(VFIOError) { try input.perform(on: file, buffer) } catch { result = error.code }
            #expect(result == input.code)
            let refusals = file.refusedCalls
            #expect(refusals == (input.code == 0 ? 0 : 1))

            let position = file.position
            #expect(position == 0x123)
            #expect(rig.census.outstanding == mapped)
            #expect(try device.read(VFIORegion.config, 0, 256) == before)
            for part in Part.allCases { #expect(try device.read(part.rawValue, part.memory - 8, 8) == edges) }
            #expect(try rig.memory(at: Rig.base, 128) == [UInt8](repeating: 0, count: 128))
        }
        #expect(rig.census.outstanding.isEmpty)
    }
}
