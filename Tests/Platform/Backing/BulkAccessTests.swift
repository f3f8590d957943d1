// A stretch of a BAR is read and written in the accesses that a CPU could make of it: aligned, each byte once.

import Backing
import Clock
import PCIe
import Testing

@Suite struct BulkAccessTests {
    @Test func theWidestAlignedAccessIsTaken() {
        for offset in UInt64(0)..<16 {
            for remaining in 1...16 {
                let size = AccessSize.largest(at: offset, remaining: remaining)
                #expect(offset % UInt64(size.rawValue) == 0 && size.rawValue <= remaining)
                let wider = size.rawValue * 2
                #expect(wider > 8 || offset % UInt64(wider) != 0 || wider > remaining, "\(offset) \(remaining)")
            }
        }
    }

    @Test func aStretchArrivesAsItWasSent() throws {
        let device = try ScratchDevice(clock: .virtual(VirtualClock()))
        let model = WordMemory(device)
        for (start, count) in [(0, 64), (1, 7), (3, 1), (2, 9), (5, 40), (7, 2)] {
            let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + start) }
            // SAFETY: UInt8 has no padding and no invalid bit pattern, so its spans may be seen as raw bytes.
            unsafe model.write(bar: 0, UInt64(start), from: sent.span.bytes)
            var came = [UInt8](repeating: 0, count: count)
            var span = came.mutableSpan
            var bytes = unsafe span.mutableBytes
            model.read(bar: 0, UInt64(start), into: &bytes)
            #expect(came == sent)
        }
        #expect(model.misaligned == 0)
    }
}

/// A BAR of 128 bytes that takes aligned accesses only, around a function that has everything else.
private final class WordMemory: PCIeModel {
    private let function: ScratchDevice
    private var bytes = [UInt8](repeating: 0, count: 128)
    var misaligned = 0

    init(_ function: ScratchDevice) { self.function = function }

    var identity: PCIeIdentity { function.identity }
    var baseAddressRegisters: [BaseAddressRegister] { function.baseAddressRegisters }
    var vectorCount: Int { function.vectorCount }
    var host: DeviceHost { function.host }
    var nextDeadline: UInt64? { nil }
    func poll() -> Bool { false }
    func reset() {}
    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { nil }
    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { function.readConfig(offset, size) }
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        function.writeConfig(offset, size, value)
    }

    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        if offset % UInt64(size.rawValue) != 0 { misaligned += 1 }
        return (0..<size.rawValue).reduce(0) { $0 | UInt64(bytes[Int(offset) + $1]) << UInt64(8 * $1) }
    }

    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        if offset % UInt64(size.rawValue) != 0 { misaligned += 1 }
        for byte in 0..<size.rawValue {
            bytes[Int(offset) + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
    }
}
