// PHY registers: clause 22 through MDIC, clause 45 through clause 22 registers 13 and 14. Facts §2.2.

import Backing
import I225Wire
import Registers

extension I225Hardware {
    func readPHY(_ register: PHYRegister) throws(DeviceError) -> UInt16 {
        let lease = try takeSemaphore(.phy)
        defer { _ = consume lease }
        return try mdio(register, nil)
    }

    func writePHY(_ register: PHYRegister, _ value: UInt16) throws(DeviceError) {
        let lease = try takeSemaphore(.phy)
        defer { _ = consume lease }
        _ = try mdio(register, value)
    }

    func modifyPHY(_ register: PHYRegister, _ change: (inout UInt16) -> Void) throws(DeviceError) {
        let lease = try takeSemaphore(.phy)
        defer { _ = consume lease }
        var value = try mdio(register, nil)
        change(&value)
        _ = try mdio(register, value)
    }

    /// Changes a register of an MMD (IEEE 802.3 clause 45).
    func modifyMMD(_ device: UInt16, _ register: UInt16, _ change: (inout UInt16) -> Void) throws(DeviceError) {
        let lease = try takeSemaphore(.phy)
        defer { _ = consume lease }
        let dataFunction: UInt16 = 0x4000
        _ = try mdio(.mmdControl, device)
        _ = try mdio(.mmdData, register)
        _ = try mdio(.mmdControl, dataFunction | device)
        var value = try mdio(.mmdData, nil)
        change(&value)
        _ = try mdio(.mmdData, value)
        _ = try mdio(.mmdControl, 0)
    }

    /// One MDIC transaction; the caller holds the PHY semaphore. The value read, or the value written.
    private func mdio(_ register: PHYRegister, _ written: UInt16?) throws(DeviceError) -> UInt16 {
        bar.write(I225Register.mdiControl, .with { request in
            request[.register] = UInt32(register.rawValue)
            request[.data] = UInt32(written ?? 0)
            if written == nil { request[.readOperation] = true } else { request[.writeOperation] = true }
        })
        let operation = written == nil ? "read PHY register" : "write PHY register"
        try wait(
            for: I225Register.mdiControl,
            "\(operation) \(register)",
            "READY (bit 28) set",
            timeoutNanoseconds: 96 * millisecond,
            intervalNanoseconds: 50 * microsecond
        ) { $0[.ready] }
        let answer = bar.read(I225Register.mdiControl)
        guard !answer[.error] else {
            throw error(.refused, "\(operation) \(register)", "MDIC reports ERROR (bit 30)")
        }
        return UInt16(truncatingIfNeeded: answer[.data])
    }
}
