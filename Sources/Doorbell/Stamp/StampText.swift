// The exchange as the kernel's xdp_hw_metadata prints it, so that what reads one reads the other.

import Foundation

extension StampExchange {
    public var text: String {
        [
            "xsk_ring_cons__peek: 1",
            "rx_desc[\(receiveIndex)]->addr=\(hex(receiveAddress)) addr=\(hex(receiveAddress)) "
                + "comp_addr=\(hex(receiveAddress)) EoP",
            "rx_hash: 0x\(String(format: "%08X", receiveHash)) with RSS type:0x\(hex(UInt64(receiveHashType)))",
            line("HW RX-time:", hardwareReceiveTime, "User RX-time", userReceiveTime),
            line("XDP RX-time:", driverReceiveTime, "User RX-time", userReceiveTime),
            "ping-pong with csum=\(hex(UInt64(checksumAtStart))) (want \(hex(UInt64(checksumOnWire)))) "
                + "csum_start=\(checksumStart) csum_offset=\(checksumOffset)",
            "complete tx idx=0 addr=\(hex(transmitAddress))",
            line("HW TX-complete-time:", hardwareTransmitTime, "User TX-complete-time", userTransmitTime),
            line("XDP RX-time:", driverReceiveTime, "User TX-complete-time", userTransmitTime),
            line("HW RX-time:", hardwareReceiveTime, "HW TX-complete-time", hardwareTransmitTime),
            "complete rx idx=0 addr=\(hex(receiveAddress))",
        ].joined(separator: "\n")
    }

    private func line(_ name: String, _ time: UInt64, _ otherName: String, _ other: UInt64) -> String {
        let delta = Double(Int64(bitPattern: other &- time))
        return String(
            format: "%@ %llu (sec:%.4f) delta to %@ sec:%.4f (%.3f usec)",
            name,
            time,
            Double(time) / 1e9,
            otherName,
            delta / 1e9,
            delta / 1e3
        )
    }

    private func hex(_ value: UInt64) -> String { String(value, radix: 16) }
}
