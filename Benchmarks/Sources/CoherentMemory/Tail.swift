// The stretch of a BAR behind its memory: a read of it is ones, and costs what writing them costs.

import Foundation
import Measure
import VFIOVariant

/// A buffer that is filled by the device, and by memset.
@safe final class Tail {
    private static let most = 64 << 20
    private let device: any VFIODevice
    private let buffer: UnsafeMutableRawPointer
    /// Behind the usable memory of 480 GB, inside its BAR.
    private let offset: UInt64 = 480 << 30

    init(_ device: any VFIODevice) {
        self.device = device
        unsafe buffer = .allocate(byteCount: Self.most, alignment: 4096)
        unsafe memset(buffer, 0, Self.most)
    }

    deinit { unsafe buffer.deallocate() }

    /// How often, so that a round is long enough for the clock.
    private func times(_ byteCount: Int) -> Int { max(1, (4 << 20) / byteCount) }

    /// Nanoseconds of a read of the tail.
    func read(_ byteCount: Int) -> Double {
        let times = times(byteCount)
        unsafe buffer.storeBytes(of: 0, toByteOffset: byteCount - 1, as: UInt8.self)
        let start = monotonicNanoseconds()
        for _ in 0..<times {
            // SAFETY: the buffer has `most` bytes, all of them initialised.
            var span = unsafe MutableRawSpan(_unsafeStart: buffer, byteCount: byteCount)
            do {
                guard try device.read(region: 4, at: offset, into: &span) == byteCount else {
                    fail("coherent-memory: the tail was cut short")
                }
            } catch {
                fail("coherent-memory: \(error)")
            }
        }
        let nanoseconds = Double(monotonicNanoseconds() - start) / Double(times)
        let last = unsafe buffer.load(fromByteOffset: byteCount - 1, as: UInt8.self)
        guard last == 0xFF else { fail("coherent-memory: the tail holds \(last)") }
        return nanoseconds
    }

    /// Nanoseconds of memset.
    func set(_ byteCount: Int) -> Double {
        let times = times(byteCount)
        let start = monotonicNanoseconds()
        // Not the same every time, or the compiler would leave all but one out.
        for round in 0..<times { unsafe memset(buffer, 0xFE | Int32(round & 1), byteCount) }
        return Double(monotonicNanoseconds() - start) / Double(times)
    }
}
