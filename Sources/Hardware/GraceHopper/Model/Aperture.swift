// BAR 1: the memory's first bytes, for who cannot use the coherent link. At power-on the window is physical: what it
// shows starts at the memory's first byte (NV_PBUS_BAR1_BLOCK, mode physical). Nothing here can move it.

import Backing
import GraceHopperWire
import Memory

/// The device's memory as the function itself reaches it.
struct Aperture {
    /// What the window shows of the memory.
    let byteCount: UInt64
    private let base: UInt64
    private let memory: PhysicalMemory?

    /// - Parameters:
    ///   - options: the window's size, the memory's base and size.
    ///   - memory: the model's own; nil: it is the machine's, or there is none.
    init(_ options: GraceHopperOptions, memory: PhysicalMemory?) {
        byteCount = min(options.apertureByteCount, options.memory.byteCount)
        base = options.memory.base
        self.memory = memory
    }

    /// For the host to map: whole pages.
    var mappable: MappableBAR? {
        let whole = byteCount & ~4095
        guard let memory, whole > 0 else { return nil }
        return MappableBAR(
            index: GraceHopper.apertureBAR,
            fileDescriptor: memory.fileDescriptor,
            fileOffset: 0,
            areas: [0..<whole]
        )
    }

    /// The memory behind `range`, if it is this process's own.
    @unsafe func bytes(_ range: Range<UInt64>) -> UnsafeRawBufferPointer? {
        guard let memory, range.upperBound <= byteCount else { return nil }
        return unsafe UnsafeRawBufferPointer(rebasing: memory.bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }

    /// Reads as far as there is memory from `offset` on; the rest of `bytes` stays. Bytes read.
    func read(_ offset: UInt64, into bytes: inout MutableRawSpan, _ host: IOVASpace) -> Int {
        let count = count(offset, bytes.byteCount)
        guard count > 0 else { return 0 }
        if let memory {
            unsafe bytes.withUnsafeMutableBytes { destination in
                // SAFETY: `count` bytes fit the destination, and the window from `offset` on.
                unsafe destination.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: memory.bytes[Int(offset)..<Int(offset) + count])
                )
            }
            return count
        }
        guard let address = address(offset) else { return 0 }
        var part = bytes._mutatingExtracting(0..<count)
        return host.read(address, into: &part) ? count : 0
    }

    /// Writes as far as there is memory from `offset` on. Bytes written.
    func write(_ offset: UInt64, from bytes: RawSpan, _ host: IOVASpace) -> Int {
        let count = count(offset, bytes.byteCount)
        guard count > 0 else { return 0 }
        let part = bytes.extracting(0..<count)
        if let memory {
            unsafe part.withUnsafeBytes { source in
                // SAFETY: `count` bytes fit the window from `offset` on.
                unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[Int(offset)..<Int(offset) + count])
                    .copyMemory(from: source)
            }
            return count
        }
        guard let address = address(offset) else { return 0 }
        return host.write(address, from: part) ? count : 0
    }

    /// How many of `wanted` bytes from `offset` on are in the window.
    private func count(_ offset: UInt64, _ wanted: Int) -> Int {
        offset < byteCount ? Int(min(byteCount - offset, UInt64(wanted))) : 0
    }

    /// The machine's address of what the window shows at `offset`; nil: addresses end before it.
    private func address(_ offset: UInt64) -> UInt64? {
        let (address, wraps) = base.addingReportingOverflow(offset)
        return wraps ? nil : address
    }
}
