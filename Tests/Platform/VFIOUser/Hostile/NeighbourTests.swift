// A device next to one that is attacked, each on its own loop: all that its client asks is answered, whatever goes on
// beside it. Counted, not timed.

import Backing
import Clock
import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct NeighbourTests {
    private final class House {
        let path: String
        private let loop: PollingLoop

        init() throws {
            path = "/tmp/doorbell-house-\(getpid())-\(UInt64.random(in: 0...(.max))).sock"
            let server = VFIOUserServer(SampleDevice(clock: .monotonic), listener: try UnixSocket.listen(path: path))
            loop = PollingLoop([server], spinNanoseconds: 1000)
        }

        // SAFETY: the path is a string for the call.
        deinit {
            loop.stop()
            unsafe unlink(path)
        }

        func client() throws -> RawClient {
            let client = RawClient(try UnixSocket.connect(path: path), looks: 100_000) { usleep(200) }
            try client.negotiate()
            try client.write(region: Region.config, 0x04, [6, 0])
            return client
        }
    }

    @Test func isNeverHeldUp() throws {
        let attacked = try House()
        let quiet = try House()
        let neighbour = try quiet.client()
        let memory = try SharedMemory(byteCount: 4096, name: "neighbour")
        try neighbour.mapDMA(memory.fileDescriptor, iova: 0, size: 4096)
        var answered: UInt32 = 0
        /// What the neighbour's client asks after each blow.
        func ask() throws {
            try neighbour.write32(region: 0, SampleDevice.Offset.value, answered)
            try neighbour.write32(region: 0, SampleDevice.Offset.transfer, 2)
            #expect(try neighbour.read32(region: 0, SampleDevice.Offset.transfer) == 1)
            // SAFETY: inside the memory.
            #expect(unsafe memory.base.load(as: UInt32.self) == answered)
            answered += 1
        }

        let event = HostileDescriptor(.event)
        for round in 0..<20 {
            let client = try attacked.client()
            let file = HostileDescriptor(.unsealed)
            try client.mapDMA(file.raw, iova: 0, size: 0x4000)
            ftruncate(file.raw, 0)
            try client.write32(region: 0, SampleDevice.Offset.transfer, 2, noReply: true)
            try ask()
            try client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
            var most = UInt64.max - 1
            // SAFETY: a local of 8 bytes.
            _ = unsafe write(event.raw, &most, 8)
            _ = fcntl(event.raw, F_SETFL, 0)
            client.send(
                (0..<100).flatMap { _ in
                    client.message(.setInterrupts, noReply: true) {
                        SetInterruptsRequest(data: .none, action: .trigger, index: 2, start: 0, count: 1).write(to: &$0)
                    }
                }
            )
            try ask()
            let flood = client.message(.writeRegionMultiple, noReply: true) {
                $0.append(UInt64(40000))
                for _ in 0..<40000 { RegionWrites.write(RegionAccess(offset: 0, region: 0, count: 4), 0, to: &$0) }
            }
            client.send(flood)
            try ask()
            // Replies, some with descriptors, that nobody takes.
            client.send(
                (0..<200).flatMap { _ in
                    client.message(.getRegionInfo) { RegionInfo(argumentSize: 64, index: 2).writeRequest(to: &$0) }
                        + client.message(.readRegion) {
                            RegionAccess(offset: 0, region: 2, count: 0x4000).write(to: &$0)
                        }
                }
            )
            try ask()
            client.send([UInt8](repeating: UInt8(round), count: 1 << 14))
            try ask()
        }
        #expect(answered == 100)
        // And the one that was attacked serves its next client.
        let next = try attacked.client()
        #expect(try next.read32(region: Region.config, 0) == 0x0001_1D0B)
    }
}
