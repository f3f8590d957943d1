// What the control registers do: reset, link, NVM, PHY, semaphores, and the way from registers to the data path.
// Source: Linux igc_base.c (igc_reset_hw_base), igc_i225.c, igc_phy.c of 6.12 and 7.x.

import Backing
import I225Wire
import Registers

extension I225Model {
    // MARK: Reset

    func writeDeviceControl(_ value: DeviceControl, now: UInt64) {
        guard !value[.deviceReset] else { return resetDevice(now) }
        registers[I225Register.deviceControl] = value
        phy.setReset(value[.phyReset], now: now)
        receiverIsStale = true
    }

    /// CTRL.RST: everything but PHY, NVM and semaphores. It does not raise DRSTA: Linux answers that with a reset.
    func resetDevice(_ now: UInt64) {
        let semaphore = registers[I225Register.softwareSemaphore]
        let sync = registers[I225Register.softwareFirmwareSync]
        registers.reset()
        registers[I225Register.softwareSemaphore] = semaphore
        registers[I225Register.softwareFirmwareSync] = sync
        interrupts.reset()
        time = TimeSync(now: now, control: registers[I225Register.auxiliaryControl].raw)
        path.reset()
        for index in 0..<host.doorbells.count { host.doorbells.store(index, 0) }
        phy.setReset(false, now: now)
        loadDefaults()
    }

    /// What the device takes from its NVM after a reset, and what its faults make of it.
    func loadDefaults() {
        receiverIsStale = true
        hashKeyIsStale = true
        transmitterIsStale = true
        if options.faults.contains(.defaultsNeverLoaded) { registers[I225Register.nvmControl][.autoReadDone] = false }
        if options.faults.contains(.firmwareKeepsSemaphores) {
            registers[I225Register.softwareFirmwareSync][.firmwareNVM] = true
            registers[I225Register.softwareFirmwareSync][.firmwarePHY] = true
        }
        guard !options.faults.contains(.nvmAbsent) else {
            registers[I225Register.nvmControl][.flashDetected] = false
            return
        }
        let address = nvm.receiveAddress
        registers[I225Register.receiveAddressLow[0]].raw = address.low
        registers[I225Register.receiveAddressHigh[0]] = address.high
    }

    // MARK: Status

    func deviceStatus() -> DeviceStatus {
        var status = registers[I225Register.deviceStatus]
        let isStopping = registers[I225Register.deviceControl][.masterDisable]
        status[.masterEnabled] = !isStopping || options.faults.contains(.masterNeverStops)
        if let speed = phy.speed {
            status[.linkUp] = true
            status[.fullDuplex] = true
            status.speed = speed
        }
        return status
    }

    // MARK: PHY

    func phyPowerManagement() -> PHYPowerManagement {
        var value = registers[I225Register.phyPowerManagement]
        let isHeld = registers[I225Register.deviceControl][.phyReset]
        value[.resetComplete] = !isHeld && !options.faults.contains(.phyResetNeverEnds)
        return value
    }

    /// MDIC: the access is over when the write returns.
    func accessPHY(_ request: PHYAccess, now: UInt64) {
        var answer = request
        answer[.ready] = !options.faults.contains(.phyNeverAnswers)
        answer[.error] = false
        let isThere = request[.phyAddress] == 0 && !options.faults.contains(.phyAbsent)
        switch (request[.isRead], request[.isWrite]) {
        case (true, false) where isThere: answer[.data] = UInt32(phy.read(request[.register]))
        case (false, true) where isThere:
            phy.write(request[.register], UInt16(truncatingIfNeeded: request[.data]), now: now)
        default: answer[.error] = true
        }
        registers[I225Register.phyAccess] = answer
    }

    // MARK: NVM and semaphores

    func writeNVMControl(_ value: NVMControl) {
        registers.driverWrite(I225Register.nvmControl.offset, value.raw)
        registers[I225Register.nvmControl][.grant] = value[.request]
        // Writing the shadow to flash takes no time here.
        registers[I225Register.nvmControl][.flashUpdate] = false
    }

    func readNVM(_ request: NVMReadWord) {
        var answer = request
        if request[.start] {
            answer[.start] = false
            answer[.done] = !options.faults.contains(.nvmNeverAnswers)
            answer[.data] = UInt32(nvm[request[.address]])
        }
        registers[I225Register.nvmRead] = answer
    }

    func writeNVM(_ request: NVMWriteWord) {
        var answer = request
        if request[.start] {
            nvm[request[.address]] = UInt16(truncatingIfNeeded: request[.data])
            answer[.start] = false
            answer[.done] = !options.faults.contains(.nvmNeverAnswers)
        }
        registers[I225Register.nvmWrite] = answer
    }

    /// SWSM: a read takes SMBI, and tells whether it was free.
    func takeSoftwareSemaphore() -> UInt32 {
        let value = registers[I225Register.softwareSemaphore]
        registers[I225Register.softwareSemaphore][.taken] = true
        return value.raw
    }

    // MARK: From registers to the data path

    func configureReceiver() {
        receiverIsStale = false
        path.receiver.configure(registers)
        for queue in 0..<I225.queueCount { path.receiver.configureQueue(queue, registers) }
        guard hashKeyIsStale else { return }
        hashKeyIsStale = false
        path.receiver.configureHashKey(registers)
    }

    func configureTransmitter() {
        transmitterIsStale = false
        let control = registers[I225Register.transmitControl]
        path.mac.isEnabled = control[.enabled]
        path.mac.padsShortFrames = control[.padShortPackets]
        path.mac.vlanType = UInt16(truncatingIfNeeded: registers[I225Register.vlanEtherType].raw)
        let units = Int(registers[I225Register.longestTransmitPacket].raw & 0x1FF)
        path.mac.longestFrame = min(units * 64, I225.longestFrameBytes)
        for queue in 0..<I225.queueCount { configureTransmitQueue(queue) }
    }

    private func configureTransmitQueue(_ queue: Int) {
        let low = registers[I225Register.transmitBaseLow[queue]].raw
        let high = registers[I225Register.transmitBaseHigh[queue]].raw
        let isEnabled = registers[I225Register.transmitQueueControl[queue]][.enabled]
        path.transmitQueues[queue].hardware.program(
            base: UInt64(high) << 32 | UInt64(low),
            byteCount: registers[I225Register.transmitLength[queue]].raw,
            isEnabled: isEnabled
        )
        if !isEnabled { path.transmitQueues[queue].stop() }

        let isTimeAware = registers[I225Register.queueArbitration][.timeAware]
        let base = DeviceTime(
            nanoseconds: registers[I225Register.scheduleBaseLow].raw,
            seconds: registers[I225Register.scheduleBaseHigh].raw
        )
        path.transmitQueues[queue].launch.isOn =
            isTimeAware && registers[I225Register.queueScheduling[queue]][.launchTime]
        path.transmitQueues[queue].launch.base = base.totalNanoseconds
        path.transmitQueues[queue].launch.cycle = UInt64(registers[I225Register.scheduleCycle].raw)
        path.transmitQueues[queue].launch.lead = UInt64(registers[I225Register.launchOffset].raw)
    }

    /// Moves what bursts have counted to the registers that show it.
    func moveTallies() {
        path.receiver.moveTally(to: &registers)
        path.mac.moveTally(to: &registers)
        for queue in 0..<I225.queueCount {
            registers[I225Register.segmentationContexts].raw &+= path.transmitQueues[queue].takeSegmentedFrames()
        }
    }
}
