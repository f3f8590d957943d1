// Counts of good frames of one direction, as bursts add them up; the registers get them when somebody reads one.

import I225Wire
import Registers

struct FrameTally {
    private(set) var frames: UInt32 = 0
    /// With CRC.
    private(set) var octets: UInt64 = 0
    private(set) var broadcasts: UInt32 = 0
    private(set) var multicasts: UInt32 = 0
    /// Up to 64, 127, 255, 511, 1023 bytes, and longer.
    private var sizes = InlineArray<6, UInt32>(repeating: 0)

    /// Adds a frame of `length` bytes without CRC. `destination` has the address in its low 48 bits, first byte lowest.
    @inline(__always)
    mutating func add(length: Int, destination: UInt64) {
        let byteCount = length &+ I225.crcBytes
        frames &+= 1
        octets &+= UInt64(truncatingIfNeeded: byteCount)
        if destination & 1 != 0 {
            if destination & 0xFFFF_FFFF_FFFF == 0xFFFF_FFFF_FFFF { broadcasts &+= 1 } else { multicasts &+= 1 }
        }
        // 65 has its highest bit at 6 and belongs to size 1.
        let highestBit = Int.bitWidth &- 1 &- byteCount.leadingZeroBitCount
        sizes[byteCount <= 64 ? 0 : min(5, highestBit &- 5)] &+= 1
    }

    /// Moves the counts to the registers of received frames.
    mutating func moveReceived(to registers: inout RegisterFile) {
        guard frames != 0 else { return }
        registers[I225Register.goodPacketsReceived].raw &+= frames
        registers[I225Register.totalPacketsReceived].raw &+= frames
        registers[I225Register.packetsToHost].raw &+= frames
        registers[I225Register.broadcastsReceived].raw &+= broadcasts
        registers[I225Register.multicastsReceived].raw &+= multicasts
        for index in 0..<6 { registers[Register(receivedSizes + UInt32(index) * 4)].raw &+= sizes[index] }
        registers.add(octets, to: I225Register.goodOctetsReceived, I225Register.goodOctetsReceivedHigh)
        registers.add(octets, to: I225Register.totalOctetsReceived, I225Register.totalOctetsReceivedHigh)
        registers.add(octets, to: I225Register.hostGoodOctetsReceived, I225Register.hostGoodOctetsReceivedHigh)
        self = FrameTally()
    }

    /// Moves the counts to the registers of sent frames.
    mutating func moveTransmitted(to registers: inout RegisterFile) {
        guard frames != 0 else { return }
        registers[I225Register.goodPacketsTransmitted].raw &+= frames
        registers[I225Register.totalPacketsTransmitted].raw &+= frames
        registers[I225Register.hostGoodTransmitted].raw &+= frames
        registers[I225Register.broadcastsTransmitted].raw &+= broadcasts
        registers[I225Register.multicastsTransmitted].raw &+= multicasts
        for index in 0..<6 { registers[Register(transmittedSizes + UInt32(index) * 4)].raw &+= sizes[index] }
        registers.add(octets, to: I225Register.goodOctetsTransmitted, I225Register.goodOctetsTransmittedHigh)
        registers.add(octets, to: I225Register.totalOctetsTransmitted, I225Register.totalOctetsTransmittedHigh)
        registers.add(octets, to: I225Register.hostGoodOctetsTransmitted, I225Register.hostGoodOctetsTransmittedHigh)
        self = FrameTally()
    }

    // The six sizes of a direction lie side by side.
    private var receivedSizes: UInt32 { I225Register.received64.offset }
    private var transmittedSizes: UInt32 { I225Register.transmitted64.offset }
}

extension Register where Layout == PlainWord {
    fileprivate init(_ offset: UInt32) { self.init(offset, "") }
}

extension RegisterFile {
    /// Adds to a counter of 64 bits in two registers.
    fileprivate mutating func add(_ count: UInt64, to low: Register<PlainWord>, _ high: Register<PlainWord>) {
        let sum = (UInt64(self[high].raw) << 32 | UInt64(self[low].raw)) &+ count
        self[low].raw = UInt32(truncatingIfNeeded: sum)
        self[high].raw = UInt32(truncatingIfNeeded: sum >> 32)
    }
}
