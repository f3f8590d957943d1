// A buffer ends in order: the device loses its way to it before the memory goes.

import Leases
import Memory
import Testing

/// Keeps what was unmapped, and whether the memory was still there when it was.
private final class Unmappings: DMAUnmapper, @unchecked Sendable {
    // SAFETY (Sendable): one test, one thread.
    var calls: [(iova: UInt64, byteCount: Int)] = []
    var probe: (() -> Bool)?
    var memoryWasThere: Bool?

    func unmapDMA(iova: UInt64, byteCount: Int) {
        calls.append((iova, byteCount))
        memoryWasThere = probe?()
    }
}

@Suite struct DMABufferTests {
    private let census = Census()
    private let unmappings = Unmappings()

    private func mapping(_ byteCount: Int) -> DMAMapping {
        DMAMapping(iova: 0x7000, byteCount: byteCount, unmapper: unmappings, mark: census.mark("mapping"))
    }

    @Test func aMappingIsClosedOnceWithItsOwnRange() {
        do {
            let mapping = mapping(8192)
            #expect(mapping.iova == 0x7000 && mapping.byteCount == 8192)
            #expect(census.outstanding == ["mapping": 1])
            #expect(unmappings.calls.isEmpty)
        }
        #expect(unmappings.calls.count == 1)
        #expect(unmappings.calls.first?.iova == 0x7000 && unmappings.calls.first?.byteCount == 8192)
        #expect(census.outstanding.isEmpty)
    }

    @Test func theDeviceLosesItsPermissionBeforeTheMemoryGoes() throws {
        do {
            let buffer = DMABuffer(memory: try SharedMemory(byteCount: 4096, name: "test"), mapping: mapping(4096))
            #expect(buffer.iova == 0x7000 && buffer.byteCount == 4096)
            let descriptor = buffer.memory.fileDescriptor
            unmappings.probe = { isOpen(descriptor) }
        }
        #expect(unmappings.memoryWasThere == true)
        #expect(census.outstanding.isEmpty)
    }
}
