// What callers learn of the regions, and use of it, in the two ways that callers have: the kernel's calls, and a vfio-user
// client's messages. They differ in how they negotiate the size of the answer.

import Backing
import Glibc
import GraceHopperDriver
import GraceHopperModel
import Leases
import Testing
import VFIOUser
import VFIOUserTestClient
import VFIOVariant

@Suite("Regions of coherent memory as callers see them")
struct RegionInfoTests {
    private static let sizes: [UInt32] = [0, 31, 32, 63, 64, 4096]

    // MARK: The kernel's way

    @Test("The kernel's answer, byte for byte, at every size of the caller's", arguments: Part.allCases, sizes)
    func kernel(part: Part, size: UInt32) throws {
        let rig = try Rig()
        let file = try VFIOFile(try rig.device(), census: rig.census)
        let argument =
            littleEndian(UInt64(size), 4) + littleEndian(0, 4) + littleEndian(UInt64(part.rawValue), 4)
            + [UInt8](repeating: 0xA5, count: 52)
        let buffer = try CallerBuffer()
        buffer.fill(argument)
        var result: Int32 = 0
        do throws(VFIOError) {
            try unsafe file.ioctl(DeviceRequest.getRegionInfo.rawValue, buffer.lastBytes(64))
        } catch {
            result = error.code
        }
        guard size >= 32 else {
            #expect(result == EINVAL)
            #expect(buffer.contents(64) == argument)
            return
        }
        #expect(result == 0)
        let holdsAll = size >= 64
        // argsz, flags (read, write, mmap, capabilities), index, where the capability is, size, offset.
        let head =
            littleEndian(UInt64(holdsAll ? size : 64), 4) + littleEndian(0xF, 4)
            + littleEndian(UInt64(part.rawValue), 4)
            + littleEndian(holdsAll ? 32 : 0, 4) + littleEndian(part.bar, 8)
            + littleEndian(UInt64(part.rawValue) << 40, 8)
        // Sparse mmap, version 1, the last; one area.
        let capability =
            littleEndian(1 | 1 << 16, 4) + littleEndian(0, 4) + littleEndian(1, 8) + littleEndian(0, 8)
            + littleEndian(part.memory, 8)
        #expect(buffer.contents(64) == head + (holdsAll ? capability : Array(argument.suffix(32))))
    }

    // MARK: vfio-user's way

    /// The driver behind the server that a VM talks to.
    private typealias Exported = ExportedFunction<NVGraceDevice<InProcess<GraceHopperModel>>>

    private func serve(_ rig: Rig) throws -> ServedModel<Exported> {
        try ServedModel(try ExportedFunction(try rig.device(), over: rig.model))
    }

    private func ask(_ client: RawClient, _ part: Part, _ size: UInt32) throws -> (RegionInfo, bytes: Int, files: Int) {
        client.send(
            client.message(.getRegionInfo) {
                RegionInfo(argumentSize: size, index: UInt32(part.rawValue)).writeRequest(to: &$0)
            }
        )
        guard case .message(let reply) = client.receive() else { throw RawRefusal(ETIMEDOUT) }
        guard reply.errorNumber == 0 else { throw RawRefusal(reply.errorNumber) }
        return (try RegionInfo(reply.payload.raw), reply.payload.count, reply.descriptorCount)
    }

    @Test(
        "The server's answer has no capability flag where the capability does not fit",
        arguments: Part.allCases,
        sizes
    )
    func vfioUser(part: Part, size: UInt32) throws {
        let served = try serve(try Rig())
        guard size >= 32 else {
            let refusal = #expect(throws: RawRefusal.self) { _ = try ask(served.client, part, size) }
            #expect(refusal == RawRefusal(EINVAL))
            return
        }
        let (info, bytes, files) = try ask(served.client, part, size)
        #expect(info.size == part.bar)
        let holdsAll = size >= 64
        #expect(info.argumentSize == 64)
        #expect(info.flags == (holdsAll ? 0xF : 0x7))
        #expect(bytes == (holdsAll ? 64 : 32))
        #expect(files == (holdsAll ? 1 : 0))
        guard holdsAll else { return }
        #expect(info.mappedRanges == [MappedRange(offset: 0, size: part.memory)])
        // Both parts are in one file, side by side.
        #expect(info.fileOffset == part.base - Rig.base)
    }

    @Test("A VM's mapping, its messages, and the GPU see the same bytes", arguments: Part.allCases)
    func mappedBehindTheServer(part: Part) throws {
        let rig = try Rig()
        let served = try serve(rig)
        let (info, _, _) = try ask(served.client, part, 64)
        let file = try #require(served.client.takeDescriptor(0))
        let last = Int64(info.fileOffset + part.memory) - 4096
        let address = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.raw, off_t(last))
        let page = try unsafe #require(address != MAP_FAILED ? address : nil)
        defer { unsafe munmap(page, 4096) }
        // SAFETY: a page is mapped.
        unsafe page.storeBytes(of: 0x1122_3344, toByteOffset: 4092, as: UInt32.self)
        let (client, region) = (served.client, part.rawValue)
        #expect(
            try client.read(region: region, part.memory - 4, count: 8) == [
                0x44, 0x33, 0x22, 0x11, 0xFF, 0xFF, 0xFF, 0xFF,
            ]
        )
        try client.write(region: region, part.memory - 2, [1, 2, 3, 4])
        #expect(try rig.memory(at: part.base + part.memory - 4, 4) == [0x44, 0x33, 1, 2])
        #expect(try client.read(region: region, part.memory, count: 8) == [UInt8](repeating: 0xFF, count: 8))
    }

    @Test("A VM sizes the BARs that the device does not have, and a reset clears them")
    func sizedBehindTheServer() throws {
        let rig = try Rig()
        let client = try serve(rig).client
        for offset in stride(from: UInt64(0x18), to: 0x28, by: 4) { try client.write32(region: 7, offset, .max) }
        #expect(
            try client.read(region: 7, 0x18, count: 16) == littleEndian(0xFFFF_FFFF_8000_000C, 8)
                + littleEndian(0xFFFF_FFFF_0000_000C, 8)
        )
        try client.write(region: 7, 0x1C, littleEndian(0x0000_0000_0000_0045, 8))
        #expect(try client.read(region: 7, 0x18, count: 8) == littleEndian(0x45_8000_000C, 8))
        _ = try client.ask(.resetDevice)
        #expect(try client.read(region: 7, 0x18, count: 16) == littleEndian(0xC, 8) + littleEndian(0xC, 8))
    }
}
