// How the device answers at each register of BAR 0: access mode, the bits that can be written, the value after reset.
// Write masks are those that the self-test of Linux's driver checks (igc_ethtool.c, igc_reg_test, `ethtool -t offline`).

import Registers

/// The table of BAR 0.
public enum I225RegisterMap {
    /// The driver touches nothing above 0x12600; a real card has 1 MiB.
    public static let byteCount = 128 * 1024

    /// The rows as a map, for a model's storage or for the names of a recording.
    public static let map: RegisterMap = {
        do throws(RegisterMap.Problem) {
            return try RegisterMap(rows, byteCount: byteCount)
        } catch {
            preconditionFailure("the table of the I225 contradicts itself: \(error)")
        }
    }()

    /// All registers.
    public static var rows: [RegisterRow] {
        control + nvmAndPHY + interrupts + receive + receiveFilters + transmit + schedule + time + statistics
    }

    private static let control: [RegisterRow] = [
        .init(I225Register.deviceControl, .readWrite),
        // Master enable is the one bit that is set without a link.
        .init(I225Register.deviceStatus, .readOnly, reset: 0x0008_0000),
        .init(I225Register.extendedControl, .readWrite),
        .init(I225Register.flowControlAddressLow, .readWrite),
        .init(I225Register.flowControlAddressHigh, .readWrite, writeMask: 0xFFFF),
        .init(I225Register.flowControlType, .readWrite, writeMask: 0xFFFF),
        .init(I225Register.copperSwitch, .readWrite),
        .init(I225Register.vlanEtherType, .readWrite, reset: 0x8100),
        .init(I225Register.flowControlTransmitTimer, .readWrite, writeMask: 0xFFFF),
        .init(I225Register.flowControlReceiveLow, .readWrite),
        .init(I225Register.flowControlReceiveHigh, .readWrite, writeMask: 0x0003_FFF0),
        .init(I225Register.flowControlRefresh, .readWrite),
        .init(I225Register.latencyToleranceControl, .readWrite),
        .init(I225Register.latencyToleranceMinimum, .readWrite),
        .init(I225Register.latencyToleranceMaximum, .readWrite),
        .init(I225Register.ledControl, .readWrite),
        .init(I225Register.phyPowerManagement, .readWrite, writeMask: ~0x100, reset: 0x100),
        .init(I225Register.energyEfficientEthernet, .readWrite),
        .init(I225Register.energyEfficientSetup, .readWrite),
        .init(I225Register.internalPHYConfiguration, .readWrite),
        .init(I225Register.wakeUpControl, .readWrite),
        .init(I225Register.flexFilterSelect, .readWrite),
        .init(I225Register.wakeUpFilterControl, .readWrite),
        .init(I225Register.wakeUpFilterControlExtended, .readWrite),
        .init(I225Register.wakeUpStatus, .writeOneToClear),
        // Bits 17 and 18 belong to management firmware, which is absent.
        .init(I225Register.managementControl, .readWrite, writeMask: ~0x0006_0000),
        .init(I225Register.wakeUpPacketLength, .readWrite),
        .init(I225Register.wakeUpPacketMemory, .readWrite),
        .init(I225Register.functionPower, .readOnly),
        .init(I225Register.firmwareSemaphore, .readOnly),
        .init(I225Register.flexFilter, .readWrite),
        .init(I225Register.flexFilterExtended, .readWrite),
    ]

    private static let nvmAndPHY: [RegisterRow] = [
        // Auto-read done, 2048 words, flash detected, no update under way (Linux waits for that before it starts one).
        .init(I225Register.nvmControl, .readWrite, writeMask: 0x0080_004F, reset: 0x0408_2A00),
        .init(I225Register.nvmRead, .readWrite, reset: 0x2),
        .init(I225Register.nvmWrite, .readWrite, reset: 0x2),
        .init(I225Register.softwareSemaphore, .readWrite, writeMask: 0x3),
        .init(I225Register.softwareFirmwareSync, .readWrite, writeMask: 0x0000_FFFF),
        .init(I225Register.phyAccess, .readWrite, reset: 0x1000_0000),
    ]

    private static let interrupts: [RegisterRow] = [
        .init(I225Register.interruptCause, .readToClear),
        .init(I225Register.interruptCauseSet, .writeOneToSet),
        .init(I225Register.interruptMaskSet, .writeOneToSet),
        .init(I225Register.interruptMaskClear, .writeOneToClear),
        .init(I225Register.interruptAutoMask, .readWrite),
        .init(I225Register.generalInterruptEnable, .readWrite),
        .init(I225Register.vectorCauseSet, .writeOneToSet, writeMask: 0x1F),
        .init(I225Register.vectorMaskSet, .writeOneToSet, writeMask: 0x1F),
        .init(I225Register.vectorMaskClear, .writeOneToClear, writeMask: 0x1F),
        .init(I225Register.vectorAutoClear, .readWrite, writeMask: 0x1F),
        .init(I225Register.vectorAutoMask, .readWrite, writeMask: 0x1F),
        .init(I225Register.vectorCause, .writeOneToClear, writeMask: 0x1F),
        .init(I225Register.vectorThrottle, .readWrite, writeMask: 0x7FFC),
        .init(I225Register.queueVectors, .readWrite, writeMask: 0x8787_8787),
        .init(I225Register.otherVector, .readWrite, writeMask: 0x8700),
    ]

    // SWFLUSH of RXDCTL and TXDCTL acts once and reads zero.
    private static let receive: [RegisterRow] = [
        .init(I225Register.receiveControl, .readWrite, writeMask: 0x04CF_B2FE),
        .init(I225Register.receivePacketBuffer, .readWrite, reset: 0xA2),
        .init(I225Register.receiveChecksum, .readWrite, reset: 0x300),
        .init(I225Register.longestPacket, .readWrite, writeMask: 0x3FFF, reset: 0x2600),
        .init(I225Register.receiveBaseLow, .readWrite, writeMask: 0xFFFF_FF80),
        .init(I225Register.receiveBaseHigh, .readWrite),
        .init(I225Register.receiveLength, .readWrite, writeMask: 0x000F_FF80),
        .init(I225Register.splitReceiveControl, .readWrite, writeMask: 0x4E06_FF7F),
        .init(I225Register.receiveHead, .readWrite, writeMask: 0xFFFF),
        .init(I225Register.receiveTail, .readWrite, writeMask: 0xFFFF),
        .init(I225Register.receiveQueueControl, .readWrite, writeMask: 0x021F_1F1F),
        .init(I225Register.receiveQueueDrops, .readWrite),
    ]

    private static let receiveFilters: [RegisterRow] = [
        .init(I225Register.receiveFilter, .readWrite),
        .init(I225Register.multicastTable, .readWrite),
        .init(I225Register.receiveAddressLow, .readWrite),
        .init(I225Register.receiveAddressHigh, .readWrite, writeMask: 0x900F_FFFF),
        .init(I225Register.packetSplitTypes, .readWrite),
        .init(I225Register.vlanPriorityQueues, .readWrite),
        .init(I225Register.multipleReceiveQueues, .readWrite),
        .init(I225Register.fiveTupleFilter, .readWrite),
        .init(I225Register.immediateInterrupt, .readWrite),
        .init(I225Register.immediateInterruptExtended, .readWrite),
        .init(I225Register.redirectionTable, .readWrite),
        .init(I225Register.hashKey, .readWrite),
        .init(I225Register.etherTypeFilter, .readWrite),
    ]

    private static let transmit: [RegisterRow] = [
        .init(I225Register.transmitControl, .readWrite),
        .init(I225Register.interPacketGap, .readWrite, writeMask: 0x3FFF_FFFF, reset: 0x0060_2006),
        .init(I225Register.retransmissionControl, .readWrite, reset: 0x2),
        .init(I225Register.transmitPacketBuffer, .readWrite, reset: 0x0400_0014),
        .init(I225Register.longestTransmitPacket, .readWrite, reset: 0x98),
        .init(I225Register.transmitBaseLow, .readWrite, writeMask: 0xFFFF_FF80),
        .init(I225Register.transmitBaseHigh, .readWrite),
        .init(I225Register.transmitLength, .readWrite, writeMask: 0x000F_FF80),
        .init(I225Register.transmitHead, .readWrite, writeMask: 0xFFFF),
        .init(I225Register.transmitTail, .readWrite, writeMask: 0xFFFF),
        .init(I225Register.transmitQueueControl, .readWrite, writeMask: 0x0A1F_1F1F),
    ]

    private static let schedule: [RegisterRow] = [
        .init(I225Register.queueArbitration, .readWrite),
        .init(I225Register.creditControl, .readWrite),
        .init(I225Register.highCredit, .readWrite),
        .init(I225Register.launchOffset, .readWrite),
        .init(I225Register.scheduleBaseLow, .readWrite),
        .init(I225Register.scheduleBaseHigh, .readWrite),
        .init(I225Register.scheduleCycle, .readWrite),
        .init(I225Register.scheduleCycleShadow, .readWrite),
        .init(I225Register.gateOpen, .readWrite),
        .init(I225Register.gateClose, .readWrite),
        .init(I225Register.queueScheduling, .readWrite),
        .init(I225Register.queuePriorities, .readWrite, reset: 0xE4),
    ]

    private static let time: [RegisterRow] = [
        .init(I225Register.systemTimeLow, .readWrite),
        .init(I225Register.systemTimeHigh, .readWrite),
        .init(I225Register.systemTimeResidue, .readOnly),
        .init(I225Register.timeIncrement, .readWrite),
        .init(I225Register.timeAdjustment, .readWrite),
        .init(I225Register.freeTimeResidue, .readOnly),
        .init(I225Register.freeTimeLow, .readWrite),
        .init(I225Register.freeTimeHigh, .readWrite),
        .init(I225Register.freeTimeIncrement, .readWrite),
        .init(I225Register.transmitStampControl, .readWrite, writeMask: 0x30),
        .init(I225Register.transmitStampLow0, .readOnly),
        .init(I225Register.transmitStampHigh0, .readOnly),
        .init(I225Register.transmitStampLow1To3, .readOnly),
        .init(I225Register.transmitStampHigh1To3, .readOnly),
        .init(I225Register.receiveStampControl, .readWrite, writeMask: 0x41E),
        .init(I225Register.receiveStampLow, .readOnly),
        .init(I225Register.receiveStampHigh, .readOnly),
        .init(I225Register.receiveStampConfiguration, .readWrite),
        // The clock stands until the driver writes zero.
        .init(I225Register.auxiliaryControl, .readWrite, reset: 0x8000_0000),
        .init(I225Register.targetTimeLow0, .readWrite),
        .init(I225Register.targetTimeHigh0, .readWrite),
        .init(I225Register.targetTimeLow1, .readWrite),
        .init(I225Register.targetTimeHigh1, .readWrite),
        .init(I225Register.frequencyOut, .readWrite),
        .init(I225Register.auxiliaryStampLow0, .readOnly),
        .init(I225Register.auxiliaryStampHigh0, .readOnly),
        .init(I225Register.auxiliaryStampLow1, .readOnly),
        .init(I225Register.auxiliaryStampHigh1, .readOnly),
        .init(I225Register.timeSyncCause, .readToClear),
        .init(I225Register.timeSyncMask, .readWrite),
        .init(I225Register.pinConfiguration, .readWrite),
    ]

    private static var statistics: [RegisterRow] {
        I225Statistic.all.flatMap { statistic -> [RegisterRow] in
            let low = RegisterRow(statistic.register, .readToClear)
            guard let high = statistic.high else { return [low] }
            return [low, RegisterRow(high, .readToClear)]
        }
    }
}
