// Which frames are received, and by which queue. Source: igc_set_rx_mode, igc_setup_mrqc.

import Backing
import I225Wire
import Registers

extension I225Hardware {
    /// Addresses, lengths, spreading and checksums. Reception itself is switched on by `startReceiving`.
    func setFilters(address: UInt64, _ configuration: I225Configuration) {
        bar.write(I225Register.receiveAddressLow[0], UInt32(truncatingIfNeeded: address))
        bar.write(
            I225Register.receiveAddressHigh[0],
            .with { high in
                high[.address] = UInt32(truncatingIfNeeded: address >> 32) & 0xFFFF
                high[.valid] = true
            }
        )
        for index in 1..<I225.receiveAddressCount {
            bar.write(I225Register.receiveAddressHigh[index], ReceiveAddressHigh(raw: 0))
            bar.write(I225Register.receiveAddressLow[index], 0)
        }
        for index in 0..<I225Register.multicastTable.count { bar.write(I225Register.multicastTable[index], 0) }
        bar.write(I225Register.longestPacket, UInt32(configuration.maximumFrameBytes + I225.crcBytes))
        bar.write(
            I225Register.receiveChecksum,
            .with { checksum in
                checksum[.ipChecksum] = configuration.checksReceivedSums
                checksum[.transportChecksum] = configuration.checksReceivedSums
                checksum[.sctpChecksum] = configuration.checksReceivedSums
                checksum[.hashInsteadOfChecksum] = true
            }
        )
        spread(configuration)
        bar.modify(I225Register.deviceControl) { $0[.vlanMode] = configuration.stripsVLANTags }
    }

    package func startReceiving(_ configuration: I225Configuration) {
        bar.write(
            I225Register.receiveControl,
            .with { control in
                control[.enabled] = true
                control[.longPackets] = true
                control[.acceptBroadcast] = true
                control[.stripCRC] = true
                control[.unicastPromiscuous] = configuration.isPromiscuous
                control[.multicastPromiscuous] = configuration.isPromiscuous
            }
        )
    }

    package func startTransmitting() {
        bar.write(
            I225Register.transmitControl,
            .with { control in
                control[.enabled] = true
                control[.padShortPackets] = true
                control[.retransmitLateCollision] = true
                // Values of the I210 data sheet §8.12.1 for full duplex, where they are without effect.
                control[.collisionThreshold] = 0x0F
                control[.collisionDistance] = 0x3F
            }
        )
    }

    /// RSS: key, table, kinds of hash. With one queue too: the hash is of use by itself (igc_setup_mrqc).
    private func spread(_ configuration: I225Configuration) {
        for word in 0..<I225Register.hashKey.count {
            var value: UInt32 = 0
            for byte in 0..<4 { value |= UInt32(configuration.hashKey[word * 4 + byte]) << UInt32(8 * byte) }
            bar.write(I225Register.hashKey[word], value)
        }
        for word in 0..<I225Register.redirectionTable.count {
            var value: UInt32 = 0
            for byte in 0..<4 {
                value |= UInt32((word * 4 + byte) % configuration.receiveQueueCount) << UInt32(8 * byte)
            }
            bar.write(I225Register.redirectionTable[word], value)
        }
        bar.write(
            I225Register.multipleReceiveQueues,
            .with { queues in
                guard configuration.hashesReceived else { return }
                queues[.mode] = MultipleReceiveQueues.receiveSideScaling
                queues[.hashIPv4] = true
                queues[.hashTCPv4] = true
                queues[.hashUDPv4] = true
                queues[.hashIPv6] = true
                queues[.hashTCPv6] = true
                queues[.hashUDPv6] = true
            }
        )
    }
}
