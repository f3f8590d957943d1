// What happens at each word of BAR 0. Most registers are storage under the rules of their row; the others are named
// here, and the model's two switches over this type are exhaustive, so that none can be forgotten.

import I225Wire
import Registers

/// How the model answers at a register.
enum Behaviour: UInt8 {
    /// No register: reads zero, drops writes, counts both.
    case unknown
    /// The row of the register map says all.
    case storage
    /// Storage, into which the data path's counts are moved before a read.
    case statistic

    case deviceControl, deviceStatus, phyPowerManagement, phyAccess
    case nvmControl, nvmRead, nvmWrite, softwareSemaphore

    case interruptCause, interruptCauseSet, interruptMaskSet, interruptMaskClear, interruptAutoMask
    case generalInterruptEnable
    case vectorCause, vectorCauseSet, vectorMaskSet, vectorMaskClear, vectorAutoClear, vectorAutoMask
    case vectorThrottle, queueVectors, otherVector

    /// Storage that the next burst takes over.
    case receiveSetting, hashKey, receiveQueue
    case receiveHead, receiveTail
    /// Storage that the next burst takes over.
    case transmitSetting, transmitQueue
    case transmitHead, transmitTail

    case systemTimeLow, systemTimeHigh, systemTimeResidue, timeIncrement
    case freeTimeLow, freeTimeHigh, freeTimeResidue, freeTimeIncrement
    case auxiliaryControl, timeSyncCause, timeSyncMask
    case targetTimeLow0, targetTimeHigh0, targetTimeLow1, targetTimeHigh1
    case eventLow0, eventHigh0, eventLow1, eventHigh1
    case transmitStampControl, transmitStampLow0, transmitStampHigh0, transmitStampLow1To3, transmitStampHigh1To3

    /// The behaviour of every word of BAR 0.
    static func table() -> [Behaviour] {
        var table = BehaviourTable()
        table.setRows()
        table.setControl()
        table.setInterrupts()
        table.setReceive()
        table.setTransmit()
        table.setTime()
        return table.words
    }
}

private struct BehaviourTable {
    var words = [Behaviour](repeating: .unknown, count: I225RegisterMap.byteCount / 4)

    private mutating func set<Layout>(_ register: Register<Layout>, _ behaviour: Behaviour) {
        words[Int(register.offset / 4)] = behaviour
    }

    private mutating func set<Layout>(_ registers: RegisterArray<Layout>, _ behaviour: Behaviour) {
        for index in 0..<registers.count { set(registers[index], behaviour) }
    }

    mutating func setRows() {
        for row in I225RegisterMap.map.rows {
            for index in 0..<row.count { words[Int(row.offset / 4) + index * Int(row.stride / 4)] = .storage }
        }
        for statistic in I225Statistic.all {
            set(statistic.register, .statistic)
            if let high = statistic.high { set(high, .statistic) }
        }
        set(I225Register.receiveQueueDrops, .statistic)
    }

    mutating func setControl() {
        set(I225Register.deviceControl, .deviceControl)
        set(I225Register.deviceStatus, .deviceStatus)
        set(I225Register.phyPowerManagement, .phyPowerManagement)
        set(I225Register.phyAccess, .phyAccess)
        set(I225Register.nvmControl, .nvmControl)
        set(I225Register.nvmRead, .nvmRead)
        set(I225Register.nvmWrite, .nvmWrite)
        set(I225Register.softwareSemaphore, .softwareSemaphore)
    }

    mutating func setInterrupts() {
        set(I225Register.interruptCause, .interruptCause)
        set(I225Register.interruptCauseSet, .interruptCauseSet)
        set(I225Register.interruptMaskSet, .interruptMaskSet)
        set(I225Register.interruptMaskClear, .interruptMaskClear)
        set(I225Register.interruptAutoMask, .interruptAutoMask)
        set(I225Register.generalInterruptEnable, .generalInterruptEnable)
        set(I225Register.vectorCause, .vectorCause)
        set(I225Register.vectorCauseSet, .vectorCauseSet)
        set(I225Register.vectorMaskSet, .vectorMaskSet)
        set(I225Register.vectorMaskClear, .vectorMaskClear)
        set(I225Register.vectorAutoClear, .vectorAutoClear)
        set(I225Register.vectorAutoMask, .vectorAutoMask)
        set(I225Register.vectorThrottle, .vectorThrottle)
        set(I225Register.queueVectors, .queueVectors)
        set(I225Register.otherVector, .otherVector)
    }

    mutating func setReceive() {
        set(I225Register.receiveControl, .receiveSetting)
        set(I225Register.receivePacketBuffer, .receiveSetting)
        set(I225Register.receiveChecksum, .receiveSetting)
        set(I225Register.longestPacket, .receiveSetting)
        set(I225Register.vlanEtherType, .receiveSetting)
        set(I225Register.multicastTable, .receiveSetting)
        set(I225Register.receiveAddressLow, .receiveSetting)
        set(I225Register.receiveAddressHigh, .receiveSetting)
        set(I225Register.vlanPriorityQueues, .receiveSetting)
        set(I225Register.multipleReceiveQueues, .receiveSetting)
        set(I225Register.redirectionTable, .receiveSetting)
        set(I225Register.etherTypeFilter, .receiveSetting)
        set(I225Register.receiveStampControl, .receiveSetting)
        set(I225Register.hashKey, .hashKey)
        set(I225Register.receiveBaseLow, .receiveQueue)
        set(I225Register.receiveBaseHigh, .receiveQueue)
        set(I225Register.receiveLength, .receiveQueue)
        set(I225Register.splitReceiveControl, .receiveQueue)
        set(I225Register.receiveQueueControl, .receiveQueue)
        set(I225Register.receiveHead, .receiveHead)
        set(I225Register.receiveTail, .receiveTail)
    }

    mutating func setTransmit() {
        set(I225Register.transmitControl, .transmitSetting)
        set(I225Register.longestTransmitPacket, .transmitSetting)
        set(I225Register.queueArbitration, .transmitSetting)
        set(I225Register.launchOffset, .transmitSetting)
        set(I225Register.scheduleBaseLow, .transmitSetting)
        set(I225Register.scheduleBaseHigh, .transmitSetting)
        set(I225Register.scheduleCycle, .transmitSetting)
        set(I225Register.queueScheduling, .transmitSetting)
        set(I225Register.transmitBaseLow, .transmitQueue)
        set(I225Register.transmitBaseHigh, .transmitQueue)
        set(I225Register.transmitLength, .transmitQueue)
        set(I225Register.transmitQueueControl, .transmitQueue)
        set(I225Register.transmitHead, .transmitHead)
        set(I225Register.transmitTail, .transmitTail)
    }

    mutating func setTime() {
        set(I225Register.systemTimeLow, .systemTimeLow)
        set(I225Register.systemTimeHigh, .systemTimeHigh)
        set(I225Register.systemTimeResidue, .systemTimeResidue)
        set(I225Register.timeIncrement, .timeIncrement)
        set(I225Register.freeTimeLow, .freeTimeLow)
        set(I225Register.freeTimeHigh, .freeTimeHigh)
        set(I225Register.freeTimeResidue, .freeTimeResidue)
        set(I225Register.freeTimeIncrement, .freeTimeIncrement)
        set(I225Register.auxiliaryControl, .auxiliaryControl)
        set(I225Register.timeSyncCause, .timeSyncCause)
        set(I225Register.timeSyncMask, .timeSyncMask)
        set(I225Register.targetTimeLow0, .targetTimeLow0)
        set(I225Register.targetTimeHigh0, .targetTimeHigh0)
        set(I225Register.targetTimeLow1, .targetTimeLow1)
        set(I225Register.targetTimeHigh1, .targetTimeHigh1)
        set(I225Register.auxiliaryStampLow0, .eventLow0)
        set(I225Register.auxiliaryStampHigh0, .eventHigh0)
        set(I225Register.auxiliaryStampLow1, .eventLow1)
        set(I225Register.auxiliaryStampHigh1, .eventHigh1)
        set(I225Register.transmitStampControl, .transmitStampControl)
        set(I225Register.transmitStampLow0, .transmitStampLow0)
        set(I225Register.transmitStampHigh0, .transmitStampHigh0)
        set(I225Register.transmitStampLow1To3, .transmitStampLow1To3)
        set(I225Register.transmitStampHigh1To3, .transmitStampHigh1To3)
    }
}
