// Memory that the client takes away while the device may reach it: truncated under the mapping, at every place and time.
// The process lives, the device goes on or fails with a count, and what is left of the file is right.

import Backing
import Clock
import Ethernet
import Glibc
import I225Model
import I225Wire
import Memory
import PCIe
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct TruncationTests {
    /// Shrunk to each length, then an access to each page: what is left works until something was missed.
    @Test(arguments: [0, 1, 0x1000, 0x1001, 0x3000, 0x3FFF], [UInt32(1), 2]) func everyLength(
        length: Int,
        direction: UInt32
    ) throws {
        for page in 0..<4 {
            let siege = try Siege()
            let file = siege.descriptor(.unsealed)
            try siege.client.mapDMA(file.raw, iova: 0x10000, size: 0x4000)
            #expect(try siege.transfer(siege.client, 2, at: 0x10000 + 0x3FFC, 0x55).isAllowed)
            #expect(ftruncate(file.raw, length) == 0)
            // A page that holds a part of the file is there as a whole.
            let isThere = page * 4096 < length
            let (isAllowed, value) = try siege.transfer(siege.client, direction, at: 0x10000 + UInt64(page) << 12, 0x77)
            #expect(isAllowed, "the device cannot know yet")
            if !isThere, direction == 1 { #expect(value == 0) }
            siege.poll()
            #expect(siege.server.counters.brokenFiles == (isThere ? 0 : 1))
            #expect(siege.mappingCount == (isThere ? 1 : 0))
            let again = try siege.transfer(siege.client, direction, at: 0x10000 + UInt64(page) << 12)
            #expect(again.isAllowed == isThere)
            var status = stat()
            // SAFETY: a local.
            #expect(unsafe fstat(file.raw, &status) == 0 && status.st_size == length, "nobody has made it longer again")
            try siege.settle()
        }
    }

    /// All mappings in the file go, those of other files stay, and the file can come again.
    @Test func onlyWhatIsBroken() throws {
        let siege = try Siege()
        let file = siege.descriptor(.unsealed)
        let other = siege.descriptor(.memory)
        for page in 0..<4 {
            let offset = UInt64(page) << 12
            try siege.client.mapDMA(file.raw, iova: 0x10000 + offset, size: 0x1000, offset: offset)
            try siege.client.mapDMA(other.raw, iova: 0x20000 + offset, size: 0x1000, offset: offset)
        }
        ftruncate(file.raw, 0x2000)
        _ = try siege.transfer(siege.client, 2, at: 0x13000, 1)
        siege.poll()
        #expect(siege.mappingCount == 4)
        #expect(try siege.transfer(siege.client, 2, at: 0x20000, 1).isAllowed)
        #expect(try !siege.transfer(siege.client, 2, at: 0x10000, 1).isAllowed)
        #expect(throws: RawRefusal(EINVAL)) { try siege.client.mapDMA(file.raw, iova: 0x10000, size: 0x4000) }
        try siege.client.mapDMA(file.raw, iova: 0x10000, size: 0x2000)
        #expect(try siege.transfer(siege.client, 2, at: 0x11000, 0xABCD).isAllowed)
        #expect(try siege.transfer(siege.client, 1, at: 0x11000).value == 0xABCD)
        // And once more.
        ftruncate(file.raw, 0)
        _ = try siege.transfer(siege.client, 1, at: 0x10000)
        siege.poll()
        #expect(siege.server.counters.brokenFiles == 2)
        try siege.settle()
    }

    /// Shrunk and grown again between two looks: the new pages are the file's, nothing is broken, and nothing is stale.
    @Test func shrunkAndGrown() throws {
        let siege = try Siege()
        let file = siege.descriptor(.unsealed)
        try siege.client.mapDMA(file.raw, iova: 0, size: 0x4000)
        _ = try siege.transfer(siege.client, 2, at: 0x3000, 0x55)
        ftruncate(file.raw, 0)
        ftruncate(file.raw, 0x4000)
        #expect(try siege.transfer(siege.client, 1, at: 0x3000).value == 0)
        #expect(try siege.transfer(siege.client, 2, at: 0x3000, 0x66).isAllowed)
        var word: UInt32 = 0
        // SAFETY: a local of 4 bytes.
        #expect(unsafe pread(file.raw, &word, 4, 0x3000) == 4 && word == 0x66)
        #expect(siege.server.counters.brokenFiles == 0)
        try siege.settle()
    }

    /// Again and again, each time in another place of the table that the signal handler reads.
    @Test func manyTimes() throws {
        let siege = try Siege()
        for round in 0..<50 {
            let files = (0..<8).map { _ in siege.descriptor(.unsealed) }
            for (index, file) in files.enumerated() {
                try siege.client.mapDMA(file.raw, iova: UInt64(index) << 16, size: 0x4000)
            }
            let victim = round % 8
            ftruncate(files[victim].raw, 0)
            for index in files.indices { _ = try siege.transfer(siege.client, 2, at: UInt64(index) << 16, 1) }
            siege.poll()
            #expect(siege.mappingCount == 7)
            try siege.client.unmapDMA(iova: 0, size: 0, flags: UnmapDMARequest.all)
        }
        #expect(siege.server.counters.brokenFiles == 50)
        try siege.settle()
    }

    /// What a full memory file system answers to a store is the same signal.
    @Test func theI225sRingsAndBuffers() throws {
        for victim in ["rings", "buffers", "both"] {
            let clock = VirtualClock()
            let served = try ServedModel(
                I225Model(options: I225Options(), port: .loopback(), clock: .virtual(clock))
            )
            let client = served.client
            let rings = try UnsealedFile(byteCount: 0x4000)
            let buffers = try UnsealedFile(byteCount: 0x10000)
            try client.mapDMA(rings.descriptor.raw, iova: 0x10000, size: 0x4000)
            try client.mapDMA(buffers.descriptor.raw, iova: 0x20000, size: 0x10000)
            try client.write(region: Region.config, 4, [6, 0])
            clock.advance(nanoseconds: 10_000_000)
            try I225Traffic.start(client, rings: rings.descriptor.raw)
            for _ in 0..<20 { _ = served.server.poll() }
            #expect(served.model.counters.framesTransmitted == 8 && served.model.counters.framesReceived == 8)
            if victim != "buffers" { ftruncate(rings.descriptor.raw, 0) }
            if victim != "rings" { ftruncate(buffers.descriptor.raw, 0) }
            try client.write32(region: 0, 0xE018, 16)  // TDT
            for _ in 0..<50 {
                _ = served.server.poll()
                clock.advance(nanoseconds: 100_000)
            }
            #expect(served.server.counters.brokenFiles >= 1, "\(victim)")
            #expect(try client.read32(region: 0, 8) != .max, "it answers: \(victim)")
            // A reset, new memory, and it works as before.
            try client.ask(.resetDevice)
            try client.unmapDMA(iova: 0, size: 0, flags: UnmapDMARequest.all)
            ftruncate(rings.descriptor.raw, 0x4000)
            ftruncate(buffers.descriptor.raw, 0x10000)
            try client.mapDMA(rings.descriptor.raw, iova: 0x10000, size: 0x4000)
            try client.mapDMA(buffers.descriptor.raw, iova: 0x20000, size: 0x10000)
            try client.write(region: Region.config, 4, [6, 0])
            clock.advance(nanoseconds: 10_000_000)
            let before = served.model.counters.framesTransmitted
            try I225Traffic.start(client, rings: rings.descriptor.raw)
            for _ in 0..<20 { _ = served.server.poll() }
            #expect(
                served.model.counters.framesTransmitted >= before + 8 || served.model.counters.framesTransmitted == 8
            )
        }
    }
}

/// The least that makes an I225 send what it then receives: queue 0, rings at 0x10000 and 0x11000, buffers behind 0x20000.
enum I225Traffic {
    static func start(_ client: RawClient, rings: Int32) throws {
        func descriptor(_ address: UInt64, _ low: UInt32, _ high: UInt32) -> [UInt8] {
            bytes {
                $0.append(address)
                $0.append(low)
                $0.append(high)
            }
        }
        // Advanced data descriptors: 64 bytes, end of packet, insert FCS, report status.
        let transmit = (0..<32).flatMap { descriptor(0x20000 + UInt64($0) * 64, 0x2B30_0040, 64 << 14) }
        let receive = (0..<32).flatMap { descriptor(0x28000 + UInt64($0) * 1024, 0, 0) }
        // SAFETY: the arrays' own memory.
        _ = unsafe transmit.withUnsafeBytes { unsafe pwrite(rings, $0.baseAddress, $0.count, 0) }
        _ = unsafe receive.withUnsafeBytes { unsafe pwrite(rings, $0.baseAddress, $0.count, 0x1000) }
        let registers: [(UInt64, UInt32)] = [
            (0x0000, 0x40 | 1 << 28),  // CTRL: link up
            (0xC000, 0x11000), (0xC004, 0), (0xC008, 512), (0xC00C, 0x0200_0001), (0xC010, 0),
            (0xC028, 1 << 25), (0x0100, 1 << 1 | 1 << 3 | 1 << 15), (0xC018, 31),
            (0xE000, 0x10000), (0xE004, 0), (0xE008, 512), (0xE010, 0), (0xE028, 1 << 25), (0x0400, 1 << 1 | 1 << 3),
            (0xE018, 8),
        ]
        for (offset, value) in registers { try client.write32(region: 0, offset, value) }
    }
}
