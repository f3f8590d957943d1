// Every check of `xdp_umem_reg`, at its edge.

import Memory
import Testing
import XSK

@Suite struct UMEMTests {
    private func register(_ registration: UMEMRegistration, memory: Int = 64 * 4096) throws -> UMEM {
        try UMEM(memory: SharedMemory(byteCount: memory, name: "doorbell-test-umem"), registration)
    }

    @Test(arguments: [UInt32(0), 1, 1024, 2047, 2049, 3072, 4095, 4097, 8192, .max])
    func chunkSizesOfTheKernelOnly(size: UInt32) {
        #expect(throws: UMEMError.chunkSize(size)) {
            _ = try register(UMEMRegistration(byteCount: 64 * 4096, chunkSize: size))
        }
    }

    @Test(arguments: [UInt32(2048), 4096])
    func everyChunkIsCounted(size: UInt32) throws {
        let umem = try register(UMEMRegistration(byteCount: 64 * 4096, chunkSize: size))
        #expect(umem.chunkCount == 64 * 4096 / Int(size))
        #expect(umem.transmitMetadataLength == 0)
    }

    @Test func unalignedChunksAreRefused() {
        #expect(throws: UMEMError.unalignedChunks) {
            _ = try register(UMEMRegistration(byteCount: 4096, flags: .unalignedChunks))
        }
    }

    @Test(arguments: [UInt32(8), 0x8000_0000, 0xF])
    func unknownFlagsAreRefused(flags: UInt32) {
        #expect(throws: UMEMError.unknownFlags(flags)) {
            _ = try register(UMEMRegistration(byteCount: 4096, flags: UMEMFlags(rawValue: flags)))
        }
    }

    @Test func softwareChecksumsAreIgnoredAsLinuxDoesInZeroCopyMode() throws {
        let umem = try register(UMEMRegistration(byteCount: 4096, flags: .softwareChecksum))
        #expect(umem.chunkCount == 1)
    }

    @Test func theUMEMIsWholeChunksOfItsMemory() {
        #expect(throws: UMEMError.noChunks(byteCount: 0, chunkSize: 4096)) {
            _ = try register(UMEMRegistration(byteCount: 0))
        }
        #expect(throws: UMEMError.noChunks(byteCount: 4095, chunkSize: 4096)) {
            _ = try register(UMEMRegistration(byteCount: 4095))
        }
        #expect(throws: UMEMError.partialChunk(byteCount: 4097, chunkSize: 4096)) {
            _ = try register(UMEMRegistration(byteCount: 4097))
        }
        #expect(throws: UMEMError.beyondMemory(byteCount: 8192, memory: 4096)) {
            _ = try register(UMEMRegistration(byteCount: 8192), memory: 4096)
        }
        #expect(throws: UMEMError.beyondMemory(byteCount: UInt64.max - 4095, memory: 4096)) {
            _ = try register(UMEMRegistration(byteCount: UInt64.max - 4095), memory: 4096)
        }
    }

    @Test func theHeadroomLeavesRoomForAFrame() throws {
        let umem = try register(UMEMRegistration(byteCount: 4096, chunkSize: 2048, headroom: 2048 - 256 - 1))
        #expect(umem.receiveOffset == 2047)
        #expect(umem.receiveCapacity == 1)
        for headroom: UInt32 in [2048 - 256, 2048, .max] {
            #expect(throws: UMEMError.headroom(headroom, chunkSize: 2048)) {
                _ = try register(UMEMRegistration(byteCount: 4096, chunkSize: 2048, headroom: headroom))
            }
        }
    }

    @Test(arguments: [UInt32(0), 1, 8, 12, 15, 17, 20, 31, 252, 255, 256, 264, .max])
    func metadataLengthsThatTheKernelRefuses(length: UInt32) {
        #expect(throws: UMEMError.transmitMetadataLength(length)) {
            _ = try register(
                UMEMRegistration(byteCount: 4096, flags: .transmitMetadataLength, transmitMetadataLength: length)
            )
        }
    }

    @Test(arguments: [UInt32(16), 24, 32, 40, 248])
    func metadataLengthsThatTheKernelTakes(length: UInt32) throws {
        let umem = try register(
            UMEMRegistration(byteCount: 4096, flags: .transmitMetadataLength, transmitMetadataLength: length)
        )
        #expect(umem.transmitMetadataLength == Int(length))
    }

    @Test func withoutItsFlagTheMetadataLengthIsIgnored() throws {
        let umem = try register(UMEMRegistration(byteCount: 4096, transmitMetadataLength: 13))
        #expect(umem.transmitMetadataLength == 0)
    }

    @Test func readingAndWritingStopAtTheEnd() throws {
        let umem = try makeUMEM(chunks: 2)
        let frame: [UInt8] = [1, 2, 3, 4]
        // SAFETY: bytes of integers have no padding, which is what the raw view of a span asks to be sure of.
        let written = unsafe umem.write(frame.span.bytes, at: 4092)
        let beyond = unsafe umem.write(frame.span.bytes, at: 4093)
        let farBeyond = unsafe umem.write(frame.span.bytes, at: .max)
        #expect(written && !beyond && !farBeyond)
        #expect(umem.read(at: 4092, length: 4) == frame)
        #expect(umem.read(at: 4093, length: 4) == nil)
        #expect(umem.read(at: .max, length: 4) == nil)
        #expect(umem.read(at: 0, length: -1) == nil)
        #expect(umem.read(at: 4096, length: 0) == [])
    }

    @Test func anErrorSaysWhatWasExpectedAndWhatCame() {
        #expect("\(UMEMError.chunkSize(1024))" == "umem: expected a chunk size of 2048 or 4096, came 1024")
        let headroom = UMEMError.headroom(4000, chunkSize: 4096)
        #expect("\(headroom)" == "umem: expected a headroom below 3840 bytes, came 4000")
    }
}
