// Accesses through BAR 1, of any size and number of bytes. Where there is no memory behind it ones are read, and writes
// are dropped, as the hardware's fabric does.

import Backing
import GraceHopperWire
import Memory
import PCIe

extension GraceHopperModel {
    func readAperture(_ offset: UInt64, _ size: AccessSize) -> UInt64 {
        var bytes = InlineArray<8, UInt8>(repeating: 0xFF)
        var span = bytes.mutableSpan
        // SAFETY: any bytes are UInt8s.
        var raw = unsafe span.mutableBytes
        var part = raw._mutatingExtracting(0..<size.rawValue)
        let count = aperture.read(offset, into: &part, host.memory)
        if count < size.rawValue { counts.accessesBeyondMemory &+= 1 }
        var value: UInt64 = 0
        for byte in 0..<size.rawValue { value |= UInt64(bytes[byte]) << UInt64(8 * byte) }
        return value
    }

    func writeAperture(_ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        for byte in 0..<8 { bytes[byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
        // SAFETY: a UInt8 has no padding.
        let part = unsafe bytes.span.bytes.extracting(0..<size.rawValue)
        let count = aperture.write(offset, from: part, host.memory)
        if count < size.rawValue { counts.accessesBeyondMemory &+= 1 }
    }

    public func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        guard bar == GraceHopper.apertureBAR, respondsToMemory else {
            return readPieces(bar: bar, offset, into: &bytes)
        }
        let count = aperture.read(offset, into: &bytes, host.memory)
        guard count < bytes.byteCount else { return }
        counts.accessesBeyondMemory &+= 1
        unsafe bytes.withUnsafeMutableBytes { bytes in
            // SAFETY: from `count` to the end is inside.
            _ = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).initializeMemory(
                as: UInt8.self,
                repeating: 0xFF
            )
        }
    }

    public func write(bar: Int, _ offset: UInt64, from bytes: RawSpan) {
        guard bar == GraceHopper.apertureBAR, respondsToMemory else {
            return writePieces(bar: bar, offset, from: bytes)
        }
        let count = aperture.write(offset, from: bytes, host.memory)
        if count < bytes.byteCount { counts.accessesBeyondMemory &+= 1 }
    }

    @unsafe public func memory(bar: Int, _ range: Range<UInt64>) -> UnsafeRawBufferPointer? {
        guard bar == GraceHopper.apertureBAR, respondsToMemory else { return nil }
        return unsafe aperture.bytes(range)
    }
}
