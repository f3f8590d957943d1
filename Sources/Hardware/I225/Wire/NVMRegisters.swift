// The non-volatile memory and the semaphores that software and firmware share.
// Source: Linux igc_nvm.c, igc_i225.c of 6.12 and 7.x.

import Registers

extension I225Register {
    /// NVM control and presence.
    @inlinable public static var nvmControl: Register<NVMControl> { .init(0x00010, "EECD") }
    /// Reads one NVM word.
    @inlinable public static var nvmRead: Register<NVMReadWord> { .init(0x12014, "EERD") }
    /// Writes one NVM word.
    @inlinable public static var nvmWrite: Register<NVMWriteWord> { .init(0x12018, "EEWR") }
    /// The semaphore that guards `softwareFirmwareSync`.
    @inlinable public static var softwareSemaphore: Register<SoftwareSemaphore> { .init(0x05B50, "SWSM") }
    /// Who holds which shared resource.
    @inlinable public static var softwareFirmwareSync: Register<SoftwareFirmwareSync> { .init(0x05B5C, "SW_FW_SYNC") }
}

/// EECD.
@frozen public struct NVMControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == NVMControl, Value == Bool {
    /// REQ: software asks for direct access.
    @inlinable public static var request: Self { .init(bit: 6) }
    /// GNT: direct access granted.
    @inlinable public static var grant: Self { .init(bit: 7) }
    /// AUTO_RD: the device has loaded its defaults.
    @inlinable public static var autoReadDone: Self { .init(bit: 9) }
    /// ADDR: 16 address bits.
    @inlinable public static var addressIs16Bit: Self { .init(bit: 10) }
    /// FLASH_DETECTED: an NVM is present, so its checksum counts.
    @inlinable public static var flashDetected: Self { .init(bit: 19) }
    /// FLUPD: write shadow RAM to flash.
    @inlinable public static var flashUpdate: Self { .init(bit: 23) }
    /// FLUDONE: the write has ended.
    @inlinable public static var flashUpdateDone: Self { .init(bit: 26) }
}

extension Field where Layout == NVMControl, Value == UInt32 {
    /// SIZE_EX: the NVM has 1 << (this + 6) words.
    @inlinable public static var sizeExponent: Self { .init(bits: 11..<15) }
}

/// EERD.
@frozen public struct NVMReadWord: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == NVMReadWord, Value == Bool {
    /// START: begin the read.
    @inlinable public static var start: Self { .init(bit: 0) }
    /// DONE: the data are there.
    @inlinable public static var done: Self { .init(bit: 1) }
}

extension Field where Layout == NVMReadWord, Value == UInt32 {
    /// Word address.
    @inlinable public static var address: Self { .init(bits: 2..<16) }
    /// The word read.
    @inlinable public static var data: Self { .init(bits: 16..<32) }
}

/// EEWR.
@frozen public struct NVMWriteWord: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == NVMWriteWord, Value == Bool {
    /// START: begin the write.
    @inlinable public static var start: Self { .init(bit: 0) }
    /// DONE: the word is taken.
    @inlinable public static var done: Self { .init(bit: 1) }
}

extension Field where Layout == NVMWriteWord, Value == UInt32 {
    /// Word address.
    @inlinable public static var address: Self { .init(bits: 2..<16) }
    /// The word to write.
    @inlinable public static var data: Self { .init(bits: 16..<32) }
}

/// SWSM.
@frozen public struct SoftwareSemaphore: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == SoftwareSemaphore, Value == Bool {
    /// SMBI: set by every read; who reads 0 has it.
    @inlinable public static var taken: Self { .init(bit: 0) }
    /// SWESMBI: latches when software, not firmware, has it.
    @inlinable public static var softwareOwns: Self { .init(bit: 1) }
}

/// SW_FW_SYNC.
@frozen public struct SoftwareFirmwareSync: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == SoftwareFirmwareSync, Value == Bool {
    /// SW_EEP_SM: software uses the NVM.
    @inlinable public static var softwareNVM: Self { .init(bit: 0) }
    /// SW_PHY0_SM: software uses the PHY.
    @inlinable public static var softwarePHY: Self { .init(bit: 1) }
    /// FW_EEP_SM: firmware uses the NVM.
    @inlinable public static var firmwareNVM: Self { .init(bit: 16) }
    /// FW_PHY0_SM: firmware uses the PHY.
    @inlinable public static var firmwarePHY: Self { .init(bit: 17) }
}
