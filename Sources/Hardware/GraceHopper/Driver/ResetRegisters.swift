// The registers of configuration space by which a user resets the function without saying so to VFIO. Source of truth:
// vfio_exp_config_write and vfio_pm_config_write (drivers/vfio/pci/vfio_pci_config.c); PCI Express Base 5.0 §7.5.3,
// PCI Power Management 1.2 §3.2.4.

import GraceHopperWire
import PCIe
import VFIOVariant

/// Where a write can reset the function, found once per `open`.
package struct ResetRegisters: Sendable, Equatable {
    /// The byte of device control in which function level reset is; nil: the function has none.
    package private(set) var functionReset: UInt64?
    /// The byte that holds the power state; nil: the function is always on.
    package private(set) var powerState: UInt64?

    private static let expressID: UInt8 = 0x10
    private static let powerID: UInt8 = 0x01
    /// Bit of that byte (device control, bit 15).
    private static let initiate: UInt8 = 0x80
    private static let stateMask: UInt8 = 3
    static let d3hot: UInt8 = 3
    /// Bit 3: D3hot keeps the function's state.
    private static let keepsState: UInt8 = 8

    /// Before anybody looked.
    static let unknown = ResetRegisters()

    private init() {}

    package init(_ read: ConfigRead) throws(VFIOError) {
        if let express = try Self.capability(Self.expressID, read) {
            let capabilities = try read(express + 4)
            if capabilities & 1 << 28 != 0 { functionReset = UInt64(express) + 9 }
        }
        powerState = try Self.capability(Self.powerID, read).map { UInt64($0) + 4 }
    }

    /// The offset of capability `id`; a list that is no list has none.
    private static func capability(_ id: UInt8, _ read: ConfigRead) throws(VFIOError) -> UInt16? {
        var offset = UInt16(try read(ConfigSpace.Offset.capabilityPointer) & 0xFC)
        // 192 bytes hold no more than 48 capabilities; more is a loop.
        for _ in 0..<48 where offset >= 0x40 {
            let header = try read(offset)
            if UInt8(truncatingIfNeeded: header) == id { return offset <= 0xF4 ? offset : nil }
            offset = UInt16(header >> 8 & 0xFC)
        }
        return nil
    }

    /// Whether a write of `bytes` at `offset` starts a function level reset.
    package func startsReset(_ bytes: RawSpan, at offset: UInt64) -> Bool {
        guard let functionReset, functionReset >= offset, functionReset - offset < UInt64(bytes.byteCount) else {
            return false
        }
        // SAFETY: any byte is a valid UInt8, and the span checks the offset.
        return unsafe bytes.unsafeLoad(fromByteOffset: Int(functionReset - offset), as: UInt8.self) & Self.initiate != 0
    }

    /// Whether a write of `count` bytes at `offset` may change the power state.
    package func touchesPower(_ count: Int, at offset: UInt64) -> Bool {
        guard let powerState else { return false }
        return powerState >= offset && powerState - offset < UInt64(count)
    }

    /// Whether the function lost its state on the way between two power states.
    package static func isReset(from before: UInt8, to after: UInt8) -> Bool {
        before & stateMask == d3hot && after & stateMask == 0 && after & keepsState == 0
    }

    /// Whether memory cannot be reached in this power state.
    static func isAsleep(_ state: UInt8) -> Bool { state & stateMask == d3hot }
}
