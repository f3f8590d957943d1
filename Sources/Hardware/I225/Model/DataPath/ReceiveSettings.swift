// What the receive registers say, taken over when one of them was written: bursts do not look at registers.

import Ethernet
import I225Wire
import Registers

struct ReceiveSettings {
    /// RCTL.RXEN.
    var isEnabled = false
    /// CTRL.VME, and VET.
    var stripsVLAN = false
    var vlanType: UInt16 = 0x8100
    /// CTRL.TFCE: the partner is told to wait.
    var sendsPauses = false
    /// With CRC.
    var longestFrame = 1522
    /// RXPBS.
    var packetBufferBytes = 34 * 1024
    var checksum: ReceiveChecksumChoice = []
    /// RXCSUM.PCSD.
    var reportsHash = false
    /// Whether a filter of `QueueSteering` is on.
    var steers = false
    /// Whether anything depends on what is behind the addresses.
    var looksInside = false
}

extension ReceiveEngine {
    /// Takes over all registers but those of the queues.
    mutating func configure(_ registers: borrowing RegisterFile) {
        let control = registers[I225Register.receiveControl]
        let device = registers[I225Register.deviceControl]
        let checksum = registers[I225Register.receiveChecksum]
        settings.isEnabled = control[.enabled]
        settings.stripsVLAN = device[.vlanMode]
        settings.vlanType = UInt16(truncatingIfNeeded: registers[I225Register.vlanEtherType].raw)
        settings.sendsPauses = device[.transmitFlowControl]
        // Without LPE a frame has 1522 bytes at most (I210 §8.10.1), whatever RLPML says.
        settings.longestFrame = control[.longPackets] ? Int(registers[I225Register.longestPacket].raw) : 1522
        settings.packetBufferBytes =
            Int(registers[I225Register.receivePacketBuffer][.expressKilobytes]) * 1024
        settings.checksum = ReceiveChecksumChoice(receiveChecksum: checksum.raw)
        settings.reportsHash = checksum[.hashInsteadOfChecksum]
        configureFilter(registers, control)
        configureScaling(registers)
        configureSteering(registers)
        settings.steers = steering.vlanPriorities != 0 || usesEtherTypes
        settings.looksInside =
            scaling.isEnabled || settings.steers || !settings.checksum.isEmpty
    }

    private mutating func configureFilter(_ registers: borrowing RegisterFile, _ control: ReceiveControl) {
        filter.acceptsEveryUnicast = control[.unicastPromiscuous]
        filter.acceptsEveryMulticast = control[.multicastPromiscuous]
        filter.acceptsBroadcast = control[.acceptBroadcast]
        filter.multicastOffset = Int(control[.multicastOffset])
        for index in 0..<128 { filter.multicastTable[index] = registers[I225Register.multicastTable[index]].raw }
        for index in 0..<I225.receiveAddressCount {
            filter.setEntry(
                index,
                low: registers[I225Register.receiveAddressLow[index]].raw,
                high: registers[I225Register.receiveAddressHigh[index]].raw
            )
        }
    }

    private mutating func configureScaling(_ registers: borrowing RegisterFile) {
        scaling.setControl(registers[I225Register.multipleReceiveQueues].raw)
        for index in 0..<32 { scaling.setIndirection(index, registers[I225Register.redirectionTable[index]].raw) }
    }

    /// Takes over the key, which is dear: the hash's tables are made of it.
    mutating func configureHashKey(_ registers: borrowing RegisterFile) {
        for index in 0..<10 { scaling.setKey(index, registers[I225Register.hashKey[index]].raw) }
    }

    private mutating func configureSteering(_ registers: borrowing RegisterFile) {
        for index in 0..<8 { steering.etherTypes[index] = registers[I225Register.etherTypeFilter[index]].raw }
        steering.vlanPriorities = registers[I225Register.vlanPriorityQueues].raw
    }

    private var usesEtherTypes: Bool {
        for index in 0..<8 where EtherTypeFilter(raw: steering.etherTypes[index])[.enabled] { return true }
        return false
    }

    /// Takes over the registers of one queue.
    mutating func configureQueue(_ queue: Int, _ registers: borrowing RegisterFile) {
        let low = registers[I225Register.receiveBaseLow[queue]].raw
        let high = registers[I225Register.receiveBaseHigh[queue]].raw
        queues[queue].hardware.program(
            base: UInt64(high) << 32 | UInt64(low),
            byteCount: registers[I225Register.receiveLength[queue]].raw,
            isEnabled: registers[I225Register.receiveQueueControl[queue]][.enabled]
        )
        let control = registers[I225Register.splitReceiveControl[queue]]
        let stamps = registers[I225Register.receiveStampControl]
        let putsStamps =
            registers[I225Register.receivePacketBuffer][.timestamps] && control[.timestamps]
            && stamps[.enabled] && stamps[.kind] == ReceiveStampControl.everyFrame
        queues[queue].configure(control, putsStamps: putsStamps)
    }
}
