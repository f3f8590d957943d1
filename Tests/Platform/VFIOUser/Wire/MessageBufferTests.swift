// What a message may hold that nobody wrote.

import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct MessageBufferTests {
    /// Memory of this process that was used for something else before does not leave it.
    @Test(arguments: [64, 4096, 1 << 16]) func bytesThatNobodyWroteAreZero(count: Int) {
        for _ in 0..<8 {
            // SAFETY: written inside its bounds, and given back.
            let used = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
            unsafe used.initializeMemory(as: UInt8.self, repeating: 0xA5, count: count)
            unsafe used.deallocate()
            let found = bytes { $0.append(byteCount: count) { _ in } }
            #expect(found.count == count)
            #expect(found.allSatisfy { $0 == 0 })
        }
    }

    @Test func growthKeepsWhatIsThere() {
        let found = bytes { buffer in
            buffer.append(UInt32(0x0403_0201))
            buffer.append(byteCount: 1000) { _ in }
            buffer.append(UInt8(5))
        }
        #expect(found.prefix(4) == [1, 2, 3, 4])
        #expect(found.count == 1005)
        #expect(found.last == 5)
    }
}
