// What Linux's probe looks at, step by step (I225 contract, section 3.1), and what each `I225Faults` makes of it.

import Backing
import Clock
import Ethernet
import I225Model
import I225Wire
import PCIe
import Registers
import Testing

@Suite("Probe")
struct ProbeTests {
    @Test func identityAndCapabilitiesAreThoseOfTheCard() throws {
        let rig = try Rig()
        #expect(try rig.device.readConfig(0, .doubleWord) == 0x15F3_8086)
        #expect(try rig.device.readConfig(8, .doubleWord) == 0x0200_0003)
        #expect(try rig.device.readConfig(0x34, .byte) == 0x40)
        // PM, then MSI-X with 5 vectors in BAR 3, then PCIe.
        #expect(try rig.device.readConfig(0x40, .word) == 0x7001)
        #expect(try rig.device.readConfig(0x70, .doubleWord) & 0x7FFF_FFFF == 0x0004_A011)
        #expect(try rig.device.readConfig(0x74, .doubleWord) == 0x0000_0003)
        #expect(try rig.device.readConfig(0x78, .doubleWord) == 0x0000_2003)
        #expect(try rig.device.readConfig(0xA0, .word) == 0x0010)
    }

    @Test func theSerialNumberIsTheMACAddressWithFFFFInTheMiddle() throws {
        let rig = try Rig { $0.macAddress = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55] }
        #expect(try rig.device.readConfig(0x100, .doubleWord) == 0x1402_0001)
        #expect(try rig.device.readConfig(0x140, .doubleWord) == 0x0001_0003)
        #expect(try rig.device.readConfig(0x144, .doubleWord) == 0xFF33_4455)
        #expect(try rig.device.readConfig(0x148, .doubleWord) == 0x0211_22FF)
    }

    @Test func theDeviceIDFollowsTheOption() throws {
        let rig = try Rig { $0.deviceID = .i226V }
        #expect(rig.device.identity.device == 0x125C)
        #expect(rig.device.identity.revision == 4)
    }

    @Test func masterDisableStopsRequestsAndStatusSaysSo() throws {
        let rig = try Rig()
        #expect(rig.read(I225Register.deviceStatus)[.masterEnabled])
        rig.modify(I225Register.deviceControl) { $0[.masterDisable] = true }
        #expect(!rig.read(I225Register.deviceStatus)[.masterEnabled])
    }

    @Test func masterNeverStopsIfToldSo() throws {
        let rig = try Rig { $0.faults = .masterNeverStops }
        rig.modify(I225Register.deviceControl) { $0[.masterDisable] = true }
        #expect(rig.read(I225Register.deviceStatus)[.masterEnabled])
    }

    @Test func resetClearsItselfAndLoadsTheAddressAgain() throws {
        let rig = try Rig()
        rig.write(I225Register.receiveAddressLow[0], 0)
        rig.write(I225Register.receiveAddressHigh[0], ReceiveAddressHigh(raw: 0))
        rig.write(I225Register.multicastTable[5], 1)
        rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        #expect(!rig.read(I225Register.deviceControl)[.deviceReset])
        #expect(rig.read(I225Register.nvmControl)[.autoReadDone])
        #expect(rig.read(I225Register.receiveAddressLow[0]) == 0x0221_1B02)
        #expect(rig.read(I225Register.receiveAddressHigh[0]).raw == 0x8000_0025)
        #expect(rig.read(I225Register.multicastTable[5]) == 0)
    }

    @Test func aResetThatTheDriverAskedForRaisesNoResetCause() throws {
        let rig = try Rig()
        rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        #expect(!rig.read(I225Register.interruptCause)[.deviceReset])
    }

    @Test func autoReadNeverEndsIfToldSo() throws {
        let rig = try Rig { $0.faults = .defaultsNeverLoaded }
        rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        #expect(!rig.read(I225Register.nvmControl)[.autoReadDone])
    }

    @Test func registersAnswerOnlyWithMemorySpaceOn() throws {
        let rig = try Rig()
        try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x4)
        #expect(rig.bar.load(0) == 0xFFFF_FFFF)
        rig.bar.store(I225Register.ledControl.offset, 7)
        #expect(rig.model.counters.disabledAccesses == 2)
        try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x6)
        #expect(rig.read(I225Register.ledControl) == 0)
    }

    @Test func registersDoNotAnswerInD3() throws {
        let rig = try Rig()
        try rig.device.writeConfig(0x44, .word, 3)
        #expect(rig.bar.load(0) == 0xFFFF_FFFF)
        try rig.device.writeConfig(0x44, .word, 0)
        #expect(rig.bar.load(0) == 0)
    }

    @Test(
        "Function level reset, whatever the access that asks for it",
        arguments: [
            (UInt16(0xA8), AccessSize.word, UInt32(0x8000)), (0xA9, .byte, 0x80), (0xA8, .doubleWord, 0x8000),
        ]
    )
    func functionLevelReset(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws {
        let rig = try Rig()
        rig.write(I225Register.ledControl, 0x55)
        try rig.device.writeConfig(offset, size, value)
        #expect(try rig.device.readConfig(ConfigSpace.Offset.command, .word) == 0)
        try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x6)
        #expect(rig.read(I225Register.ledControl) == 0)
    }
}
