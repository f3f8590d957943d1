// PHY and link. Source: igc_setup_copper_link, igc_config_fc_after_link_up.

import Backing
import Clock
import I225Wire
import Netdev
import Registers

extension I225Hardware {
    /// Resets the PHY, wakes it, advertises what the card can do and starts autonegotiation.
    func startLink(wantsFlowControl: Bool) throws(DeviceError) {
        try resetPHY()
        try modifyPHY(PHYRegister.control) { $0 &= ~PHYBit.powerDown }
        try modifyPHY(PHYRegister.advertisement) { advertisement in
            advertisement |= PHYBit.advertise10Half | PHYBit.advertise10Full
            advertisement |= PHYBit.advertise100Half | PHYBit.advertise100Full
            advertisement &= ~(PHYBit.pause | PHYBit.asymmetricPause)
            if wantsFlowControl { advertisement |= PHYBit.pause }
        }
        try modifyPHY(PHYRegister.gigabitControl) { $0 |= PHYBit.advertise1000Full }
        try modifyMMD(ManagedDevice.autonegotiation, ManagedDevice.multiGigabitControl) {
            $0 |= PHYBit.advertise2500Full
        }
        try modifyPHY(PHYRegister.control) { $0 |= PHYBit.autonegotiate | PHYBit.restartAutonegotiation }
        prepareFlowControl()
        bar.modify(I225Register.deviceControl) { control in
            control[.setLinkUp] = true
            control[.forceSpeed] = false
            control[.forceDuplex] = false
        }
    }

    /// What the PHY says about the link now; pause is resolved into the MAC.
    func readLink() throws(DeviceError) -> LinkState {
        // The link bit latches low: the first read tells of the past, the second of now (IEEE 802.3 §22.2.4.2.13).
        _ = try readPHY(PHYRegister.status)
        let phy = try readPHY(PHYRegister.status)
        let status = bar.read(I225Register.deviceStatus)
        guard phy & PHYBit.linkUp != 0, status[.linkUp] else { return .down }
        let ours = try readPHY(PHYRegister.advertisement)
        let partners = try readPHY(PHYRegister.partnerAbility)
        // IEEE 802.3 Table 28B-3. We advertise symmetric pause or none, so it is both ways or neither.
        let pauses = ours & partners & PHYBit.pause != 0
        bar.modify(I225Register.deviceControl) { control in
            control[.receiveFlowControl] = pauses
            control[.transmitFlowControl] = pauses
        }
        return LinkState(
            speed: status.speed.rawValue,
            isFullDuplex: status[.fullDuplex],
            receivesPause: pauses,
            sendsPause: pauses
        )
    }

    /// Waits until the link is up; with a time-out of 0 it just looks.
    func waitForLink(timeoutNanoseconds: UInt64) throws(DeviceError) -> LinkState {
        let deadline = clock.now &+ timeoutNanoseconds
        while true {
            let link = try readLink()
            if link.isUp || timeoutNanoseconds == 0 { return link }
            guard clock.now < deadline else {
                throw error(.timedOut, "wait for link", "no link after \(timeoutNanoseconds / millisecond) ms")
            }
            clock.wait(nanoseconds: 10 * millisecond)
        }
    }

    /// Powers the PHY down: an idle card holds no link.
    func stopLink() throws(DeviceError) {
        try modifyPHY(PHYRegister.control) { $0 |= PHYBit.powerDown }
    }

    private func resetPHY() throws(DeviceError) {
        // Firmware may forbid it; the PHY is then left as it is (igc_check_reset_block).
        guard !bar.read(I225Register.managementControl)[.blockPHYReset] else { return }
        let lease = try takeSemaphore(.phy)
        bar.modify(I225Register.deviceControl) { $0[.phyReset] = true }
        flush()
        clock.wait(nanoseconds: 100 * microsecond)
        bar.modify(I225Register.deviceControl) { $0[.phyReset] = false }
        flush()
        try wait(
            for: I225Register.phyPowerManagement,
            "reset PHY",
            "RST_COMPL (bit 8) set",
            timeoutNanoseconds: 10 * millisecond,
            intervalNanoseconds: 10 * microsecond
        ) { $0[.resetComplete] }
        _ = consume lease
    }

    /// Addresses and times of pause frames (IEEE 802.3 Annex 31B): they never change.
    private func prepareFlowControl() {
        bar.write(I225Register.flowControlAddressLow, 0x00C2_8001)
        bar.write(I225Register.flowControlAddressHigh, 0x0100)
        bar.write(I225Register.flowControlType, 0x8808)
        bar.write(I225Register.flowControlTransmitTimer, 0xFFFF)
    }
}
