// Configuration space as firmware, Linux and lspci walk it.

import PCIe
import Testing

/// A function without BARs and capabilities, for the bodies of exit tests.
private func bareSpace() -> ConfigSpace {
    ConfigSpace(PCIeIdentity(vendor: 1, device: 1, classCode: 0, revision: 0), baseAddressRegisters: [])
}

@Suite struct ConfigSpaceTests {
    private static let identity = PCIeIdentity(
        vendor: 0x8086,
        device: 0x15F2,
        subsystemVendor: 0x1AF4,
        subsystem: 0x1100,
        classCode: 0x02_0000,
        revision: 3
    )

    private func space(_ registers: [BaseAddressRegister] = []) -> ConfigSpace {
        ConfigSpace(Self.identity, baseAddressRegisters: registers, interruptPin: 1)
    }

    @Test func theHeaderSaysWhoItIs() {
        let space = space()
        let fields: [(offset: UInt16, size: AccessSize, value: UInt64)] = [
            (0x00, .word, 0x8086), (0x02, .word, 0x15F2), (0x00, .doubleWord, 0x15F2_8086),
            (0x08, .byte, 0x03), (0x09, .byte, 0x00), (0x0A, .word, 0x0200),
            (0x0E, .byte, 0x00), (0x2C, .word, 0x1AF4), (0x2E, .word, 0x1100), (0x3D, .byte, 1),
        ]
        for field in fields { #expect(space.read(field.offset, field.size) == field.value) }
    }

    /// All ones written to every byte: only what the specification makes writable changes.
    @Test func onlyWhatMayBeWrittenChanges() {
        var space = space()
        let before = (0..<UInt16(ConfigSpace.byteCount)).map { space.read($0, .byte) }
        for offset in 0..<UInt16(ConfigSpace.byteCount) { space.write(offset, .byte, 0xFF) }
        let writable: [UInt16: UInt64] = [0x04: 0x46, 0x05: 0x05, 0x0C: 0xFF, 0x3C: 0xFF]
        for offset in 0..<UInt16(ConfigSpace.byteCount) {
            let expected = before[Int(offset)] | (writable[offset] ?? 0)
            #expect(space.read(offset, .byte) == expected, "offset \(offset)")
        }
    }

    struct SizingCase: Sendable {
        let register: BaseAddressRegister
        let low: UInt64
        let high: UInt64?
    }

    /// All ones in, and the size comes out (PCI Local Bus 3.0 §6.2.5.1).
    @Test(arguments: [
        SizingCase(register: .init(index: 0, byteCount: 16), low: 0xFFFF_FFF0, high: nil),
        SizingCase(register: .init(index: 3, byteCount: 1 << 14), low: 0xFFFF_C000, high: nil),
        SizingCase(register: .init(index: 5, byteCount: 1 << 20), low: 0xFFF0_0000, high: nil),
        SizingCase(register: .init(index: 0, byteCount: 1 << 31), low: 0x8000_0000, high: nil),
        SizingCase(
            register: .init(index: 2, byteCount: 1 << 20, is64Bit: true, isPrefetchable: true),
            low: 0xFFF0_000C,
            high: 0xFFFF_FFFF
        ),
        SizingCase(register: .init(index: 4, byteCount: 1 << 32, is64Bit: true), low: 0x4, high: 0xFFFF_FFFF),
        SizingCase(register: .init(index: 0, byteCount: 1 << 36, is64Bit: true), low: 0x4, high: 0xFFFF_FFF0),
    ])
    func aBARTellsItsSize(_ sizing: SizingCase) {
        var space = space([sizing.register])
        let offset = UInt16(0x10 + sizing.register.index * 4)
        space.write(offset, .doubleWord, 0xFFFF_FFFF)
        #expect(space.read(offset, .doubleWord) == sizing.low)
        if let high = sizing.high {
            space.write(offset + 4, .doubleWord, 0xFFFF_FFFF)
            #expect(space.read(offset + 4, .doubleWord) == high)
        }

        let address = sizing.register.byteCount * 3
        space.write(offset, .doubleWord, address & 0xFFFF_FFFF)
        #expect(space.read(offset, .doubleWord) & ~0xF == address & 0xFFFF_FFFF & sizing.low)
        #expect(space.read(offset, .doubleWord) & 0xF == sizing.low & 0xF, "the flags are read-only")
    }

    @Test func anAbsentBARReadsZero() {
        var space = space([.init(index: 0, byteCount: 4096)])
        for index in 1..<6 {
            space.write(UInt16(0x10 + index * 4), .doubleWord, 0xFFFF_FFFF)
            #expect(space.read(UInt16(0x10 + index * 4), .doubleWord) == 0)
        }
    }

    @Test(arguments: [UInt64(0), 8, 24, 4097])
    func aBARSizeThatNoAddressCanHaveTraps(byteCount: UInt64) async {
        await #expect(processExitsWith: .failure) { [byteCount] in
            _ = ConfigSpace(
                PCIeIdentity(vendor: 1, device: 1, classCode: 0, revision: 0),
                baseAddressRegisters: [.init(index: 0, byteCount: byteCount)]
            )
        }
    }

    @Test func accessesOfEverySizeMeetTheSameBytes() {
        var space = space()
        space.write(0x3C, .byte, 0x5A)
        #expect(space.read(0x3C, .byte) == 0x5A)
        #expect(space.read(0x3C, .word) == 0x015A)
        #expect(space.read(0x3B, .word) == 0x5A00, "also unaligned")
        space.write(0x3B, .doubleWord, 0xFFFF_A5FF)
        #expect(space.read(0x3C, .word) == 0x01A5, "the bytes around it are read-only")
    }

    @Test func anAccessThatLeavesTheSpaceReadsOnesAndWritesNothing() {
        var space = space()
        for size in AccessSize.allCases {
            let lastInside = UInt16(ConfigSpace.byteCount - size.rawValue)
            #expect(space.read(lastInside, size) == 0)
            for offset in [lastInside + 1, 4096, 0xFFFF] {
                #expect(space.read(offset, size) == size.allOnes)
                space.write(offset, size, 0)
            }
        }
    }

    @Test func capabilitiesAreLinkedInTheOrderTheyWereAdded() {
        var space = space()
        #expect(space.capability(id: 0x11) == nil)
        #expect(space.read(ConfigSpace.Offset.status, .word) == 0, "no list yet")
        space.addCapability(id: 0x01, at: 0x40, body: [0x23, 0xC8, 0, 0, 0, 0], writable: [0, 0, 0x03, 0x01, 0, 0])
        space.addCapability(id: 0x11, at: 0x70, body: [0x04, 0x00])
        space.addCapability(id: 0x10, at: 0xA0, body: [0x02, 0x00])

        #expect(space.read(ConfigSpace.Offset.status, .word) & 0x10 != 0)
        #expect(chain(of: space) == [0x40, 0x70, 0xA0])
        #expect(space.capability(id: 0x01) == 0x40)
        #expect(space.capability(id: 0x11) == 0x70)
        #expect(space.capability(id: 0x10) == 0xA0)
        #expect(space.capability(id: 0x05) == nil)
        space.write(0x44, .doubleWord, 0xFFFF_FFFF)
        #expect(space.read(0x44, .doubleWord) == 0x0103, "only the bits of the mask")
    }

    /// The offsets that a walk along the list meets.
    private func chain(of space: ConfigSpace) -> [UInt16] {
        var offsets: [UInt16] = []
        var next = UInt16(space.read(ConfigSpace.Offset.capabilityPointer, .byte))
        while next != 0, offsets.count < 48 {
            offsets.append(next)
            next = UInt16(space.read(next + 1, .byte))
        }
        return offsets
    }

    @Test func extendedCapabilitiesAreLinkedFrom0x100() {
        var space = space()
        space.addExtendedCapability(id: 0x0003, version: 1, at: 0x100, body: [1, 2, 3, 4, 5, 6, 7, 8])
        space.addExtendedCapability(id: 0x000D, version: 2, at: 0x1B0, body: [])
        #expect(space.read(0x100, .doubleWord) == 0x1B01_0003)
        #expect(space.read(0x104, .quadWord) == 0x0807_0605_0403_0201)
        #expect(space.read(0x1B0, .doubleWord) == 0x0002_000D)
    }

    @Test func aCapabilityInTheWrongPlaceTraps() async {
        await #expect(processExitsWith: .failure) {
            var space = bareSpace()
            space.addCapability(id: 1, at: 0x3C, body: [0, 0])
        }
        await #expect(processExitsWith: .failure) {
            var space = bareSpace()
            space.addCapability(id: 1, at: 0xFC, body: [0, 0, 0])
        }
        await #expect(processExitsWith: .failure) {
            var space = bareSpace()
            space.addExtendedCapability(id: 3, version: 1, at: 0x140, body: [])
        }
    }
}

@Suite struct AccessSizeTests {
    @Test func allOnesFillTheWidth() {
        #expect(AccessSize.allCases.map(\.allOnes) == [0xFF, 0xFFFF, 0xFFFF_FFFF, .max])
    }
}
