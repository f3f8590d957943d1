// One receive queue: a frame into buffers, a write-back for each.
// Source: I225 contract, section 4.1; Linux igc_main.c (igc_clean_rx_irq) of 6.12 and 7.x.

import Ethernet
import I225Wire
import Memory
import Registers
import Rings

@safe struct ReceiveQueue: ~Copyable {
    // SAFETY: descriptors through the checked ring; buffers through `hardware.address`, checked for the bytes written.
    var hardware = HardwareQueue()
    /// SRRCTL.
    private(set) var control = SplitReceiveControl(raw: 0)
    /// Bytes of one buffer; 0 where SRRCTL names none.
    private var bufferBytes = 0
    /// Bytes in front of a frame: none unless RXPBS, SRRCTL and TSYNCRXCTL agree on stamps.
    private var stampBytes = 0

    /// Frames dropped for want of descriptors, since the owner took them.
    private(set) var drops: UInt32 = 0

    // As `begin` found them for a burst.
    private var ring: DescriptorRing16?
    private var tail = 0

    mutating func reset() {
        hardware.program(base: 0, byteCount: 0, isEnabled: false)
        hardware.head = 0
        configure(SplitReceiveControl(raw: 0), putsStamps: false)
        drops = 0
    }

    mutating func configure(_ control: SplitReceiveControl, putsStamps: Bool) {
        self.control = control
        bufferBytes = Int(control[.bufferKilobytes]) * 1024
        stampBytes = putsStamps ? ReceiveStampHeader.byteCount : 0
    }

    var putsStamps: Bool { stampBytes != 0 }

    /// Looks at the doorbell for a burst.
    mutating func begin(_ doorbell: UInt32, _ memory: IOVASpace) {
        ring = hardware.refresh(memory)
        guard ring != nil else { return }
        // A tail beyond the ring gives no descriptors until it is mended.
        tail = hardware.tail(doorbell) ?? hardware.head
    }

    /// Bytes of one buffer; 0 where the register names none.

    enum Outcome {
        case delivered
        /// Fewer descriptors than the frame needs.
        case noDescriptors
        /// The queue is off, its ring or a buffer cannot be reached, or the ring can never hold the frame.
        case dropped
    }

    /// What the device found out about a frame.
    struct Findings {
        var hash: UInt32 = 0
        var hashType = RSSType.none
        /// Verdicts on checksums, and whether a tag was stripped.
        var status = ReceiveStatus(raw: 0)
        var vlanTag: UInt16 = 0
        var stamp = ReceiveStampHeader(first: 0, second: 0)
    }

    /// Whether the frame would find its descriptors, before anything about it is changed.
    func outcome(ofLength length: Int) -> Outcome {
        guard ring != nil, bufferBytes > 0 else { return .dropped }
        let total = length &+ stampBytes
        if total <= bufferBytes { return tail != hardware.head ? .delivered : .noDescriptors }
        let needed = (total &+ bufferBytes &- 1) / bufferBytes
        if needed > hardware.count &- 1 { return .dropped }
        return needed <= hardware.available(tail) ? .delivered : .noDescriptors
    }

    /// Writes the frame; `outcome(ofLength:)` has said that it fits.
    mutating func deliver(
        _ frame: UnsafeMutableRawPointer,
        length: Int,
        _ findings: borrowing Findings,
        _ memory: IOVASpace
    ) -> Outcome {
        guard let ring else { return .dropped }
        let stampBytes = self.stampBytes
        guard length &+ stampBytes <= bufferBytes else {
            return unsafe deliverSplit(frame, length: length, findings, ring, memory)
        }
        let head = hardware.head
        let total = length &+ stampBytes
        guard let buffer = unsafe hardware.address(ring.loadLow(head), total, .deviceWrites, memory) else {
            refuse(ring, findings, length: total)
            return .dropped
        }
        if stampBytes != 0 { unsafe Self.write(findings.stamp, to: buffer) }
        unsafe (buffer + stampBytes).copyMemory(from: frame, byteCount: length)
        var status = findings.status
        status.raw |= stampBytes != 0 ? Self.wholeStamped : Self.whole
        writeBack(ring, findings, status, length: total)
        return .delivered
    }

    // DD and EOP; with TSIP.
    private static var whole: UInt32 { 0x3 }
    private static var wholeStamped: UInt32 { 0x8003 }

    private static func write(_ stamp: ReceiveStampHeader, to buffer: UnsafeMutableRawPointer) {
        unsafe buffer.storeBytes(of: stamp.first, as: UInt64.self)
        unsafe (buffer + 8).storeBytes(of: stamp.second, as: UInt64.self)
    }

    /// The lower half first, then the upper one in a single store: the driver looks at the length in it.
    private mutating func writeBack(
        _ ring: DescriptorRing16,
        _ findings: borrowing Findings,
        _ status: ReceiveStatus,
        length: Int
    ) {
        let head = hardware.head
        let value = ReceiveWriteBack(
            rssType: findings.hashType,
            rssHash: findings.hash,
            status: status,
            length: UInt16(truncatingIfNeeded: length),
            vlanTag: findings.vlanTag
        )
        ring.storeLow(head, value.low)
        ring.storeHigh(head, value.high)
        hardware.head = hardware.next(head)
    }

    /// The buffer at the head cannot be reached: its descriptor goes back with an error, for which drivers drop the
    /// frame and use the descriptor again. Nothing was written to any buffer.
    private mutating func refuse(_ ring: DescriptorRing16, _ findings: borrowing Findings, length: Int) {
        let status = ReceiveStatus.with {
            $0[.done] = true
            $0[.endOfPacket] = true
            $0[.receiveError] = true
        }
        writeBack(ring, findings, status, length: length)
    }

    /// A frame over several buffers: the stamp in the first alone, EOP and findings on the last.
    private mutating func deliverSplit(
        _ frame: UnsafeMutableRawPointer,
        length: Int,
        _ findings: borrowing Findings,
        _ ring: DescriptorRing16,
        _ memory: IOVASpace
    ) -> Outcome {
        var written = 0
        var stampBytes = self.stampBytes
        while written < length {
            let piece = min(length - written, bufferBytes - stampBytes)
            let head = hardware.head
            guard let buffer = unsafe hardware.address(ring.loadLow(head), stampBytes + piece, .deviceWrites, memory)
            else {
                refuse(ring, findings, length: stampBytes + piece)
                return .dropped
            }
            var status = written + piece == length ? findings.status : ReceiveStatus(raw: 0)
            status[.done] = true
            status[.endOfPacket] = written + piece == length
            if stampBytes != 0 {
                unsafe Self.write(findings.stamp, to: buffer)
                status[.stamped] = true
            }
            unsafe (buffer + stampBytes).copyMemory(from: frame + written, byteCount: piece)
            writeBack(ring, findings, status, length: stampBytes + piece)
            written += piece
            stampBytes = 0
        }
        return .delivered
    }

    mutating func countDrop() { drops &+= 1 }

    mutating func takeDrops() -> UInt32 {
        defer { drops = 0 }
        return drops
    }
}
