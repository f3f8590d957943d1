// A descriptor's bytes are where the device expects them, and an index outside the ring is stopped.

import Rings
import Testing

/// SAFETY: the memory of every test here is its own, 16-byte aligned, and lives to the end of `body`.
private func withRing<Result>(
    count: Int,
    _ body: (DescriptorRing16, UnsafeMutableRawBufferPointer) throws -> Result
) rethrows -> Result {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count * 16, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    defer { unsafe memory.deallocate() }
    guard let base = memory.baseAddress else { preconditionFailure("an allocation has an address") }
    return unsafe try body(DescriptorRing16(base: base, count: count), memory)
}

/// The same for those who only use the ring.
private func onRing(of count: Int, _ body: (DescriptorRing16) -> Void) {
    unsafe withRing(count: count) { ring, _ in body(ring) }
}

@Suite struct Descriptor16Tests {
    @Test func aDescriptorIsTwoWordsWithoutPadding() {
        #expect(MemoryLayout<Descriptor16>.size == 16)
        #expect(MemoryLayout<Descriptor16>.stride == 16)
        #expect(MemoryLayout<Descriptor16>.alignment == 8)
    }

    @Test func wordsLieInMemoryAsTheDeviceReadsThem() {
        let bytes = unsafe withRing(count: 3) { ring, memory in
            ring.storeLow(1, 0x0807_0605_0403_0201)
            ring.storeHigh(1, 0x100F_0E0D_0C0B_0A09)
            return unsafe Array(memory)
        }
        #expect(bytes == [UInt8](repeating: 0, count: 16) + Array(1...16) + [UInt8](repeating: 0, count: 16))
    }

    @Test func whatTheDeviceWritesIsLoaded() {
        unsafe withRing(count: 2) { ring, memory in
            unsafe memory.storeBytes(of: 0x1122_3344_5566_7788, toByteOffset: 16, as: UInt64.self)
            unsafe memory.storeBytes(of: 0x99AA_BBCC_DDEE_FF00, toByteOffset: 24, as: UInt64.self)
            #expect(ring.loadLow(1) == 0x1122_3344_5566_7788)
            #expect(ring.loadHigh(1) == 0x99AA_BBCC_DDEE_FF00)
            #expect(ring.loadLow(0) == 0 && ring.loadHigh(0) == 0)
        }
    }

    @Test func anIndexOutsideTheRingTraps() async {
        await #expect(processExitsWith: .failure) { onRing(of: 4) { ring in _ = ring.loadLow(4) } }
        await #expect(processExitsWith: .failure) { onRing(of: 4) { ring in _ = ring.loadHigh(-1) } }
        await #expect(processExitsWith: .failure) { onRing(of: 4) { ring in ring.storeLow(-1, 1) } }
        await #expect(processExitsWith: .failure) { onRing(of: 4) { ring in ring.storeHigh(4, 1) } }
    }

    @Test func aRingWithoutDescriptorsTraps() async {
        await #expect(processExitsWith: .failure) {
            let word = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
            _ = unsafe DescriptorRing16(base: word, count: 0)
        }
    }
}
