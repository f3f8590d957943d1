// DMA_MAP as it should not be: lengths, flags, ranges, files. The memory that a file takes with it when it shrinks is in
// TruncationTests.

import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileMapDMATests {
    private static func request(
        _ size: UInt64 = 0x1000,
        at iova: UInt64 = 0x1000,
        offset: UInt64 = 0,
        flags: UInt32 = 3
    ) -> (inout MessageBuffer) -> Void {
        { MapDMARequest(flags: flags, fileOffset: offset, iova: iova, size: size).write(to: &$0) }
    }

    static let lengths = Attack.wrongLengths(.mapDMA, right: 32, write: request())
    static let fields: [Attack] = [
        Attack("argsz below the struct", .mapDMA) {
            $0.append(UInt32(31))
            $0.append(UInt32(3))
            for word: UInt64 in [0, 0x1000, 0x1000] { $0.append(word) }
        },
        Attack("argsz 0", .mapDMA) { $0.append(byteCount: 32) { _ in } },
        Attack("unknown flag", .mapDMA, write: request(flags: 0x13)),
        Attack("all flags", .mapDMA, write: request(flags: .max)),
        Attack("file I/O, which nobody here does", .mapDMA, EINVAL, [.memory], write: request(flags: 0xB)),
        Attack("to be mapped, and no descriptor", .mapDMA, write: request(flags: 7)),
        Attack("no bytes", .mapDMA, EINVAL, [.memory], write: request(0)),
        Attack("no bytes, no file", .mapDMA, write: request(0)),
        Attack("size of no whole pages", .mapDMA, EINVAL, [.memory], write: request(0x1001)),
        Attack("address inside a page", .mapDMA, EINVAL, [.memory], write: request(at: 0x1001)),
        Attack("offset inside a page", .mapDMA, EINVAL, [.memory], write: request(offset: 1)),
        Attack("over the end of the address space", .mapDMA, EINVAL, [.memory], write: request(at: 0 &- 0x1000)),
        Attack("all of the address space", .mapDMA, write: request(0 &- 0x1000, at: 0x2000)),
        Attack("half of it", .mapDMA, write: request(1 << 63, at: 0)),
        Attack("more than the file has", .mapDMA, EINVAL, [.memory], write: request(0x5000)),
        Attack("behind the file", .mapDMA, EINVAL, [.memory], write: request(offset: 0x4000)),
        Attack("offset that wraps", .mapDMA, EINVAL, [.memory], write: request(0x2000, offset: 0 &- 0x1000)),
        Attack("offset that is negative", .mapDMA, EINVAL, [.memory], write: request(offset: 1 << 63)),
        Attack(
            "size that wraps in the file",
            .mapDMA,
            EINVAL,
            [.memory],
            write: request(0 &- 0x2000, at: 0, offset: 0x2000)
        ),
        Attack("size that no file has", .mapDMA, EINVAL, [.memory], write: request(1 << 62)),
    ]
    static let descriptors: [Attack] =
        [.event, .pathOnly, .emptyMemory, .socket, .pipe, .directory, .epoll, .null, .diskFile].map { kind in
            Attack("descriptor: \(kind)", .mapDMA, EINVAL, [kind], write: request(flags: 1))
        }
        + [
            Attack("write to what is open to read", .mapDMA, EACCES, [.readOnlyMemory], write: request()),
            Attack("two descriptors", .mapDMA, EINVAL, [.memory, .memory], write: request()),
            Attack("sixteen", .mapDMA, EINVAL, .init(repeating: .memory, count: 16), write: request()),
            Attack("two, the first one of no use", .mapDMA, EINVAL, [.socket, .memory], write: request()),
        ]

    @Test(arguments: lengths + fields + descriptors) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        #expect(siege.server.counters.refusedMappings == 1)
        #expect(siege.mappingCount == 0)
        try siege.strikeSilently(attack)
        #expect(siege.server.counters.refusedMappings == 2)
        #expect(siege.mappingCount == 0)
        try siege.settle()
    }

    /// What is unusual and allowed.
    @Test(arguments: [
        Attack("no permission at all", .mapDMA, 0, [.memory], write: request(flags: 0)),
        Attack("argsz larger than the struct", .mapDMA, 0, [.memory]) {
            $0.append(UInt32.max)
            $0.append(UInt32(3))
            for word: UInt64 in [0, 0x1000, 0x1000] { $0.append(word) }
        },
        Attack("the last page that has an end", .mapDMA, 0, [.memory], write: request(at: 0 &- 0x2000)),
        Attack("read-only memory to read", .mapDMA, 0, [.readOnlyMemory], write: request(flags: 1)),
        Attack("memory that can shrink", .mapDMA, 0, [.unsealed], write: request(0x4000)),
        Attack("a huge range without a file", .mapDMA, 0, write: request(1 << 62, at: 1 << 62)),
    ])
    func isAccepted(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        #expect(siege.mappingCount == 1)
        try siege.settle()
    }

    /// Around a mapping of [0x4000, 0x8000): every overlap is refused, what touches it is not.
    @Test(arguments: [true, false]) func overlaps(withFile: Bool) throws {
        let siege = try Siege()
        let memory = siege.descriptor(.memory)
        let file = withFile ? memory.raw : nil
        try siege.client.mapDMA(memory.raw, iova: 0x4000, size: 0x4000)
        for start in stride(from: UInt64(0x1000), to: 0x9000, by: 0x1000) {
            for size in stride(from: UInt64(0x1000), to: 0x5000, by: 0x1000) {
                let isClear = start + size <= 0x4000 || start >= 0x8000
                let expected: RawRefusal? = isClear ? nil : RawRefusal(EEXIST)
                let refusal = refusal { () throws(RawRefusal) in
                    try siege.client.mapDMA(file, iova: start, size: size)
                }
                #expect(refusal == expected, "\(start) \(size)")
                if isClear { try siege.client.unmapDMA(iova: start, size: size) }
            }
        }
        #expect(siege.mappingCount == 1)
        #expect(try siege.transfer(siege.client, 2, at: 0x7FFC, 7).isAllowed)
        try siege.settle()
    }

    @Test func asManyAsThereMayBe() throws {
        var options = VFIOUserServerOptions()
        options.mostMappings = 100
        let siege = try Siege(options: options)
        let memory = siege.descriptor(.memory)
        for index in 0..<100 {
            try siege.client.mapDMA(index % 2 == 0 ? memory.raw : nil, iova: UInt64(index) << 12, size: 0x1000)
        }
        for file in [memory.raw, nil] {
            #expect(throws: RawRefusal(ENOSPC)) {
                try siege.client.mapDMA(file, iova: 1 << 40, size: 0x1000)
            }
        }
        try siege.client.unmapDMA(iova: 0, size: 0x1000)
        try siege.client.mapDMA(memory.raw, iova: 1 << 40, size: 0x1000)
        try siege.settle()
    }

    /// Each file costs the process a mapping, and there is a limit to those that all devices share.
    @Test func asManyFilesAsThereMayBe() throws {
        var options = VFIOUserServerOptions()
        options.mostFiles = 10
        let siege = try Siege(options: options)
        for index in 0..<12 {
            let file = siege.descriptor(.memory)
            let refusal = refusal { () throws(RawRefusal) in
                try siege.client.mapDMA(file.raw, iova: UInt64(index) << 12, size: 0x1000)
            }
            #expect(refusal == (index < 10 ? nil : RawRefusal(ENOSPC)))
        }
        try siege.settle()
    }

    /// A file that grows between its mappings is one more file each time, for the limit as well.
    @Test func aFileThatGrowsForEver() throws {
        var options = VFIOUserServerOptions()
        options.mostFiles = 10
        let siege = try Siege(options: options)
        let file = siege.descriptor(.emptyMemory)
        var refusals = 0
        for index in 0..<50 {
            ftruncate(file.raw, (index + 1) << 12)
            let place = UInt64(index) << 12
            let refusal = refusal { () throws(RawRefusal) in
                try siege.client.mapDMA(file.raw, iova: place, size: 0x1000, offset: place)
            }
            if refusal == RawRefusal(ENOSPC) { refusals += 1 }
        }
        #expect(refusals == 40)
        #expect(siege.mappingCount == 10)
        // Those that nothing is in any more make room.
        try siege.client.unmapDMA(iova: 0, size: 0x5000)
        try siege.client.mapDMA(file.raw, iova: 1 << 30, size: 0x1000, offset: 0x1_0000)
        try siege.settle()
    }

    /// A sparse file may be of any length; our address space may not.
    @Test func aFileLongerThanTheAddressSpace() throws {
        var options = VFIOUserServerOptions()
        options.mostFileBytes = 1 << 32
        let siege = try Siege(options: options)
        let file = siege.descriptor(.emptyMemory)
        for bits in [33, 46, 48, 62] where ftruncate(file.raw, 1 << bits) == 0 {
            #expect(throws: RawRefusal(ENOSPC)) { try siege.client.mapDMA(file.raw, iova: 0, size: 0x1000) }
        }
        ftruncate(file.raw, 1 << 31)
        try siege.client.mapDMA(file.raw, iova: 0, size: 0x1000)
        let other = siege.descriptor(.emptyMemory)
        ftruncate(other.raw, (1 << 31) + 4096)
        #expect(throws: RawRefusal(ENOSPC)) { try siege.client.mapDMA(other.raw, iova: 1 << 32, size: 0x1000) }
        try siege.settle()
    }

    /// Not one byte outside of what was mapped, and permitted, is written.
    @Test func theRestOfTheFileIsNotTouched() throws {
        let siege = try Siege()
        let memory = try SharedMemory(byteCount: 0x4000, name: "half")
        // SAFETY: all stores are inside the memory.
        for place in 0..<0x4000 { unsafe memory.base.storeBytes(of: UInt8(0x5A), toByteOffset: place, as: UInt8.self) }
        try siege.client.mapDMA(memory.fileDescriptor, iova: 0x1000, size: 0x1000, offset: 0x1000)
        try siege.client.mapDMA(memory.fileDescriptor, iova: 0x3000, size: 0x1000, offset: 0x3000, flags: 1)
        for place in stride(from: UInt64(0), to: 0x5000, by: 2) {
            let isAllowed = try siege.transfer(siege.client, 2, at: place, 0).isAllowed
            #expect(isAllowed == (place >= 0x1000 && place + 4 <= 0x2000), "\(place)")
        }
        for place in 0..<0x4000 {
            let byte = unsafe memory.base.load(fromByteOffset: place, as: UInt8.self)
            #expect(byte == (0x1000..<0x2000 ~= place ? 0 : 0x5A), "\(place)")
        }
        try siege.settle()
    }
}
