// PHY registers: clause 22 through MDIC, clause 45 through clause 22 registers 13 and 14.
// Source: igc_read_phy_reg_mdic, igc_read_xmdio_reg; IEEE 802.3 annex 22D.

import Backing
import I225Wire
import Registers

extension I225Hardware {
    func readPHY(_ register: UInt32) throws(DeviceError) -> UInt16 {
        let lease = try takeSemaphore(.phy)
        return try mdio(register, nil, holding: lease)
    }

    func writePHY(_ register: UInt32, _ value: UInt16) throws(DeviceError) {
        let lease = try takeSemaphore(.phy)
        _ = try mdio(register, value, holding: lease)
    }

    func modifyPHY(_ register: UInt32, _ change: (inout UInt16) -> Void) throws(DeviceError) {
        let lease = try takeSemaphore(.phy)
        var value = try mdio(register, nil, holding: lease)
        change(&value)
        _ = try mdio(register, value, holding: lease)
    }

    /// Changes a register of an MMD (IEEE 802.3 clause 45).
    func modifyMMD(_ device: UInt16, _ register: UInt16, _ change: (inout UInt16) -> Void) throws(DeviceError) {
        let lease = try takeSemaphore(.phy)
        _ = try mdio(PHYRegister.managedDeviceControl, device, holding: lease)
        _ = try mdio(PHYRegister.managedDeviceData, register, holding: lease)
        _ = try mdio(PHYRegister.managedDeviceControl, ManagedDevice.dataFunction | device, holding: lease)
        var value = try mdio(PHYRegister.managedDeviceData, nil, holding: lease)
        change(&value)
        _ = try mdio(PHYRegister.managedDeviceData, value, holding: lease)
        _ = try mdio(PHYRegister.managedDeviceControl, 0, holding: lease)
    }

    /// One MDIC transaction. The value read, or the value written.
    private func mdio(
        _ register: UInt32,
        _ written: UInt16?,
        holding phy: borrowing SemaphoreLease<Backing>
    ) throws(DeviceError) -> UInt16 {
        bar.write(
            I225Register.phyAccess,
            .with { request in
                request[.register] = register
                request[.data] = UInt32(written ?? 0)
                if written == nil { request[.isRead] = true } else { request[.isWrite] = true }
            }
        )
        let operation = written == nil ? "read PHY register" : "write PHY register"
        try wait(
            for: I225Register.phyAccess,
            "\(operation) \(register)",
            "READY (bit 28) set",
            timeoutNanoseconds: 96 * millisecond,
            intervalNanoseconds: 50 * microsecond
        ) { $0[.ready] }
        let answer = bar.read(I225Register.phyAccess)
        guard !answer[.error] else {
            try checkPresent("\(operation) \(register)")
            throw error(.refused, "\(operation) \(register)", "MDIC reports ERROR (bit 30)")
        }
        return UInt16(truncatingIfNeeded: answer[.data])
    }
}
