// What an Rx write-back says, in the words of the Netdev service.

import I225Wire
import Netdev
import Registers

extension ReceivedFrame {
    /// igc_rx_checksum: TCPCS or UDPCS without L4E, IPE and IXSM is the device's "good"; anything else says nothing.
    @inlinable init(cookie: UInt64, low: UInt64, high: UInt64) {
        self.init()
        let writeBack = ReceiveWriteBack(low: low, high: high)
        let status = writeBack.status
        self.cookie = cookie
        length = UInt32(writeBack.length)
        continues = !status[.endOfPacket]
        let checked = status[.tcpChecked] || status[.udpChecked]
        checksumIsGood = checked && !status[.ignoreChecksum] && !status[.transportError] && !status[.ipError]
        hasTimestamp = status[.stamped]
        isDamaged = status[.receiveError]
        hasVLANTag = status[.vlanStripped]
        vlanTag = status[.loopedBack] ? writeBack.vlanTag.byteSwapped : writeBack.vlanTag
        hash = writeBack.rssHash
        hashType = UInt8(truncatingIfNeeded: low & 0xF)
    }
}
