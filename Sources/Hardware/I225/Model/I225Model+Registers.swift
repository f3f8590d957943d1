// BAR 0 word by word: one switch for reads, one for writes. What a register means is in the room that owns it.

import Backing
import I225Wire
import Registers

extension I225Model {
    /// The number of the register at `offset` in its array.
    private func index<Layout>(_ offset: UInt32, in registers: RegisterArray<Layout>) -> Int {
        Int((offset - registers.base) / registers.stride)
    }

    /// A read of an aligned word inside BAR 0.
    func readRegister(_ offset: UInt32, now: UInt64) -> UInt32 {
        switch behaviours[Int(offset / 4)] {
        case .unknown, .storage, .deviceControl, .nvmControl, .nvmRead, .nvmWrite, .phyAccess, .receiveSetting,
            .hashKey, .receiveQueue, .transmitSetting, .transmitQueue:
            return registers.driverRead(offset)
        case .statistic:
            moveTallies()
            return registers.driverRead(offset)
        case .deviceStatus: return deviceStatus().raw
        case .phyPowerManagement: return phyPowerManagement().raw
        case .softwareSemaphore: return takeSoftwareSemaphore()

        case .interruptCause: return interrupts.readCauses().raw
        // Tools read these as the registers that they set or clear.
        case .interruptCauseSet: return interrupts.causes.raw
        case .interruptMaskSet, .interruptMaskClear: return interrupts.mask.raw
        case .interruptAutoMask: return interrupts.autoMask.raw
        case .generalInterruptEnable: return interrupts.enable.raw
        case .vectorCause, .vectorCauseSet: return interrupts.vectorCauses
        case .vectorMaskSet, .vectorMaskClear: return interrupts.vectorMask
        case .vectorAutoClear: return interrupts.vectorAutoClear
        case .vectorAutoMask: return interrupts.vectorAutoMask
        case .vectorThrottle: return interrupts.throttle(index(offset, in: I225Register.vectorThrottle))
        case .queueVectors: return interrupts.queueVectors[index(offset, in: I225Register.queueVectors)].raw
        case .otherVector: return interrupts.otherVector.raw

        case .receiveHead:
            return UInt32(path.receiver.queues[index(offset, in: I225Register.receiveHead)].hardware.head)
        case .receiveTail: return host.doorbells.load(Doorbell.receive(offset)) & 0xFFFF
        case .transmitHead:
            return UInt32(path.transmitQueues[index(offset, in: I225Register.transmitHead)].hardware.head)
        case .transmitTail: return host.doorbells.load(Doorbell.transmit(offset)) & 0xFFFF

        case .systemTimeLow: return time.readTimer0Low(now)
        case .systemTimeHigh: return time.timer0.readHigh()
        case .systemTimeResidue: return time.timer0.residue(at: now)
        case .timeIncrement: return time.timer0.increment.raw
        case .freeTimeLow: return time.readTimer1Low(now)
        case .freeTimeHigh: return time.timer1.readHigh()
        case .freeTimeResidue: return time.timer1.residue(at: now)
        case .freeTimeIncrement: return time.timer1.increment.raw
        case .auxiliaryControl: return time.control.raw
        case .timeSyncCause: return time.readCauses(now)
        case .timeSyncMask: return time.mask.raw
        case .targetTimeLow0: return time.targetLow(0)
        case .targetTimeHigh0: return time.targetHigh(0)
        case .targetTimeLow1: return time.targetLow(1)
        case .targetTimeHigh1: return time.targetHigh(1)
        case .eventLow0: return time.eventLow(0)
        case .eventHigh0: return time.readEventHigh(0)
        case .eventLow1: return time.eventLow(1)
        case .eventHigh1: return time.readEventHigh(1)
        case .transmitStampControl: return path.mac.stamps.controlWord
        case .transmitStampLow0: return path.mac.stamps.readLow(0)
        case .transmitStampHigh0: return path.mac.stamps.readHigh(0)
        case .transmitStampLow1To3:
            return path.mac.stamps.readLow(1 + index(offset, in: I225Register.transmitStampLow1To3))
        case .transmitStampHigh1To3:
            return path.mac.stamps.readHigh(1 + index(offset, in: I225Register.transmitStampHigh1To3))
        }
    }

    /// A write of an aligned word inside BAR 0. What it stops has stopped when it returns: bursts run in `poll` only,
    /// and begin by taking over what is stale.
    func writeRegister(_ offset: UInt32, _ value: UInt32, now: UInt64) {
        switch behaviours[Int(offset / 4)] {
        case .unknown, .storage, .statistic, .deviceStatus, .phyPowerManagement, .softwareSemaphore:
            registers.driverWrite(offset, value)
        case .deviceControl: writeDeviceControl(DeviceControl(raw: value), now: now)
        case .phyAccess: accessPHY(PHYAccess(raw: value), now: now)
        case .nvmControl: writeNVMControl(NVMControl(raw: value))
        case .nvmRead: readNVM(NVMReadWord(raw: value))
        case .nvmWrite: writeNVM(NVMWriteWord(raw: value))

        case .interruptCause: interrupts.clearCauses(value)
        case .interruptCauseSet: interrupts.raise(InterruptCause(raw: value))
        case .interruptMaskSet: interrupts.setMask(value)
        case .interruptMaskClear: interrupts.clearMask(value)
        case .interruptAutoMask: interrupts.autoMask.raw = value
        case .generalInterruptEnable: interrupts.enable.raw = value
        case .vectorCause: interrupts.clearVectorCauses(value)
        case .vectorCauseSet: interrupts.setVectorCauses(value)
        case .vectorMaskSet: interrupts.setVectorMask(value)
        case .vectorMaskClear: interrupts.clearVectorMask(value)
        case .vectorAutoClear: interrupts.vectorAutoClear = value
        case .vectorAutoMask: interrupts.vectorAutoMask = value
        case .vectorThrottle:
            let vector = index(offset, in: I225Register.vectorThrottle)
            interrupts.setThrottle(vector, InterruptThrottle(raw: value), now: now)
        case .queueVectors:
            registers.driverWrite(offset, value)
            interrupts.queueVectors[index(offset, in: I225Register.queueVectors)].raw = registers[offset]
        case .otherVector:
            registers.driverWrite(offset, value)
            interrupts.otherVector.raw = registers[offset]

        case .receiveSetting, .receiveQueue:
            registers.driverWrite(offset, value)
            receiverIsStale = true
            transmitterIsStale = true
        case .hashKey:
            registers.driverWrite(offset, value)
            receiverIsStale = true
            hashKeyIsStale = true
        case .receiveHead:
            path.receiver.queues[index(offset, in: I225Register.receiveHead)].hardware.head = Int(value & 0xFFFF)
        case .receiveTail: host.doorbells.store(Doorbell.receive(offset), value & 0xFFFF)
        case .transmitSetting, .transmitQueue:
            registers.driverWrite(offset, value)
            transmitterIsStale = true
        case .transmitHead:
            let queue = index(offset, in: I225Register.transmitHead)
            path.transmitQueues[queue].hardware.head = Int(value & 0xFFFF)
            path.transmitQueues[queue].stop()
        case .transmitTail: host.doorbells.store(Doorbell.transmit(offset), value & 0xFFFF)

        case .systemTimeLow: time.writeTimer0Low(value)
        case .systemTimeHigh: time.writeTimer0High(value, now: now)
        case .systemTimeResidue, .freeTimeResidue: break
        case .timeIncrement: time.setIncrement0(value, now: now)
        case .freeTimeLow: time.writeTimer1Low(value)
        case .freeTimeHigh: time.writeTimer1High(value, now: now)
        case .freeTimeIncrement: time.setIncrement1(value, now: now)
        case .auxiliaryControl: time.writeControl(value, now: now)
        case .timeSyncCause: time.clearCauses(value)
        case .timeSyncMask: time.setMask(value, now: now)
        case .targetTimeLow0: time.setTargetLow(0, value)
        case .targetTimeHigh0: time.setTargetHigh(0, value)
        case .targetTimeLow1: time.setTargetLow(1, value)
        case .targetTimeHigh1: time.setTargetHigh(1, value)
        case .eventLow0, .eventHigh0, .eventLow1, .eventHigh1: break
        case .transmitStampControl: path.mac.stamps.writeControl(value)
        case .transmitStampLow0, .transmitStampHigh0, .transmitStampLow1To3, .transmitStampHigh1To3: break
        }
    }
}

/// Numbers in the host's doorbell page: the transmit tails, then the receive tails.
enum Doorbell {
    /// The doorbell of the transmit tail at `offset`.
    static func transmit(_ offset: UInt32) -> Int {
        Int((offset - I225Register.transmitTail.base) / I225Register.transmitTail.stride)
    }

    /// The doorbell of the receive tail at `offset`.
    static func receive(_ offset: UInt32) -> Int {
        I225.queueCount + Int((offset - I225Register.receiveTail.base) / I225Register.receiveTail.stride)
    }
}
