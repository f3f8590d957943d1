// What Linux's driver checks with `ethtool -t ethX offline` (igc_ethtool.c, igc_reg_test): the model must pass it too.

import Backing
import I225Model
import I225Wire
import Registers
import Testing

/// A register of the self-test: what is written is masked by `write`, what is read must be that masked by `mask`.
struct OracleRow: CustomTestStringConvertible, Sendable {
    let name: String
    let offsets: [UInt32]
    let mask: UInt32
    let write: UInt32

    init<Layout>(_ register: Register<Layout>, mask: UInt32, write: UInt32) {
        name = "\(register.mnemonic)"
        offsets = [register.offset]
        self.mask = mask
        self.write = write
    }

    init<Layout>(_ registers: RegisterArray<Layout>, mask: UInt32, write: UInt32) {
        name = "\(registers.mnemonic)"
        offsets = (0..<registers.count).map { registers[$0].offset }
        self.mask = mask
        self.write = write
    }

    var testDescription: String { name }

    static let all: [OracleRow] = [
        .init(I225Register.flowControlAddressLow, mask: 0xFFFF_FFFF, write: 0xFFFF_FFFF),
        .init(I225Register.flowControlAddressHigh, mask: 0x0000_FFFF, write: 0xFFFF_FFFF),
        .init(I225Register.flowControlType, mask: 0x0000_FFFF, write: 0xFFFF_FFFF),
        .init(I225Register.receiveBaseHigh, mask: 0xFFFF_FFFF, write: 0xFFFF_FFFF),
        .init(I225Register.receiveBaseLow, mask: 0xFFFF_FF80, write: 0xFFFF_FF80),
        .init(I225Register.receiveLength, mask: 0x000F_FF80, write: 0x000F_FFFF),
        .init(I225Register.receiveTail, mask: 0x0000_FFFF, write: 0x0000_FFFF),
        .init(I225Register.flowControlReceiveHigh, mask: 0x0003_FFF0, write: 0x0003_FFF0),
        .init(I225Register.flowControlTransmitTimer, mask: 0x0000_FFFF, write: 0x0000_FFFF),
        .init(I225Register.interPacketGap, mask: 0x3FFF_FFFF, write: 0x3FFF_FFFF),
        .init(I225Register.transmitBaseHigh, mask: 0xFFFF_FFFF, write: 0xFFFF_FFFF),
        .init(I225Register.transmitBaseLow, mask: 0xFFFF_FF80, write: 0xFFFF_FF80),
        .init(I225Register.transmitLength, mask: 0x000F_FF80, write: 0x000F_FFFF),
        .init(I225Register.transmitTail, mask: 0x0000_FFFF, write: 0x0000_FFFF),
        .init(I225Register.receiveAddressLow, mask: 0xFFFF_FFFF, write: 0xFFFF_FFFF),
        .init(I225Register.receiveAddressHigh, mask: 0x900F_FFFF, write: 0xFFFF_FFFF),
        .init(I225Register.multicastTable, mask: 0xFFFF_FFFF, write: 0xFFFF_FFFF),
    ]
}

@Suite("The self-test of Linux's driver")
struct RegisterOracleTests {
    @Test("Patterns read back exactly, reserved bits as zero", arguments: OracleRow.all)
    func patterns(_ row: OracleRow) throws {
        let rig = try Rig()
        for offset in row.offsets {
            for pattern: UInt32 in [0x5A5A_5A5A, 0xA5A5_A5A5, 0, 0xFFFF_FFFF] {
                rig.bar.store(offset, pattern & row.write)
                #expect(rig.bar.load(offset) == pattern & row.write & row.mask)
            }
        }
        #expect(rig.model.counters.unknownAccesses == 0)
    }

    @Test func receiveControlKeepsWhatTheTestComparesAndStartsNoDMA() throws {
        let rig = try Rig()
        rig.linkUp()
        for value: UInt32 in [0, 0x003F_FFFB, 0xFFFF_FFFF] {
            rig.bar.store(I225Register.receiveControl.offset, value)
            #expect(rig.bar.load(I225Register.receiveControl.offset) & 0x04CF_B2FE == value & 0x04CF_B2FE)
            rig.arriveAndPoll(testFrame(64))
        }
        #expect(rig.model.counters.dmaFaults == 0)
        #expect(rig.model.counters.framesReceived == 0)
    }

    @Test func transmitControlReadsTheZeroThatWasWritten() throws {
        let rig = try Rig()
        rig.write(I225Register.transmitControl, TransmitControl(raw: 0))
        #expect(rig.read(I225Register.transmitControl).raw == 0)
    }

    @Test func statusDoesNotChangeWhenWritten() throws {
        let rig = try Rig()
        rig.linkUp()
        let before = rig.read(I225Register.deviceStatus)
        for value: UInt32 in [0, 0xFFFF_FFFF] {
            rig.write(I225Register.deviceStatus, DeviceStatus(raw: value))
            #expect(rig.read(I225Register.deviceStatus) == before)
        }
    }
}
