// One receive queue: a frame into buffers, a write-back for each.
// Source: I225 contract, section 4.1; Linux igc_main.c (igc_clean_rx_irq) of 6.12 and 7.x.

import Ethernet
import I225Wire
import Memory
import Registers
import Rings

@safe struct ReceiveQueue: ~Copyable {
    // SAFETY: the head is below the ring's count when `refresh` has given a ring, and `next` keeps it there; buffers through `hardware.address`, checked for the bytes written.
    var hardware: HardwareQueue
    /// SRRCTL.
    private(set) var control = SplitReceiveControl(raw: 0)
    /// Bytes of one buffer; 0 where SRRCTL names none.
    private(set) var bufferBytes = 0
    /// Bytes in front of a frame: none unless RXPBS, SRRCTL and TSYNCRXCTL agree on stamps.
    private var stampBytes = 0

    /// Frames dropped for want of descriptors, since the owner took them.
    private(set) var drops: UInt32 = 0

    // As `begin` found them for a burst.
    private(set) var ring: DescriptorRing16?
    private(set) var tail = 0

    init(_ memory: IOVASpace) { hardware = HardwareQueue(memory) }

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
    mutating func begin(_ doorbell: UInt32) {
        ring = hardware.refresh()
        guard ring != nil else { return }
        // A tail beyond the ring gives no descriptors until it is mended.
        tail = hardware.tail(doorbell) ?? hardware.head
    }

    enum Outcome {
        case delivered
        /// Fewer descriptors than the frame needs.
        case noDescriptors
        /// The queue is off, its ring or a buffer cannot be reached, or the ring can never hold the frame.
        case dropped
    }

    /// Whether the frame would find its descriptors, before anything about it is changed.
    @inline(__always)
    func outcome(ofLength length: Int) -> Outcome {
        guard ring != nil, bufferBytes > 0 else { return .dropped }
        let total = length &+ stampBytes
        if total <= bufferBytes { return tail != hardware.head ? .delivered : .noDescriptors }
        let needed = (total &+ bufferBytes &- 1) / bufferBytes
        if needed > hardware.count &- 1 { return .dropped }
        return needed <= hardware.available(tail) ? .delivered : .noDescriptors
    }

    /// Writes the frame; `outcome(ofLength:)` has said that it fits.
    ///
    /// - Parameters:
    ///   - findings: hash, verdicts and tag; no length.
    ///   - stamp: goes in front of the frame if the queue puts stamps.
    @inline(__always)
    mutating func deliver(
        _ frame: UnsafeMutableRawPointer,
        length: Int,
        _ findings: ReceiveWriteBack,
        _ stamp: ReceiveStampHeader
    ) -> Outcome {
        guard let ring else { return .dropped }
        let total = length &+ stampBytes
        guard total <= bufferBytes else {
            return unsafe deliverSplit(frame, length: length, findings, stamp, ring)
        }
        guard
            let buffer = unsafe hardware.address(
                ring.loadLowUnchecked(hardware.head),
                total,
                .deviceWrites
            )
        else {
            refuse(ring, length: total)
            return .dropped
        }
        guard stampBytes != 0 else {
            unsafe buffer.copyMemory(from: frame, byteCount: length)
            writeBack(ring, findings.with(Self.whole, length: total))
            return .delivered
        }
        unsafe Self.write(stamp, to: buffer)
        unsafe (buffer + ReceiveStampHeader.byteCount).copyMemory(from: frame, byteCount: length)
        writeBack(ring, findings.with(Self.wholeStamped, length: total))
        return .delivered
    }

    // DD and EOP; with TSIP; with RXE.
    static var whole: ReceiveStatus { .init(raw: 0x3) }
    private static var wholeStamped: ReceiveStatus { .init(raw: 0x8003) }
    private static var refused: ReceiveStatus { .init(raw: 0x8000_0003) }

    private static func write(_ stamp: ReceiveStampHeader, to buffer: UnsafeMutableRawPointer) {
        unsafe buffer.storeBytes(of: stamp.first, as: UInt64.self)
        unsafe (buffer + 8).storeBytes(of: stamp.second, as: UInt64.self)
    }

    /// The lower half first, then the upper one in a single store: the driver looks at the length in it.
    private mutating func writeBack(_ ring: DescriptorRing16, _ value: ReceiveWriteBack) {
        unsafe ring.storeUnchecked(hardware.head, low: value.low, high: value.high)
        hardware.head = hardware.next(hardware.head)
    }

    /// The buffer at the head cannot be reached: its descriptor goes back with an error, for which drivers drop the
    /// frame and use the descriptor again. Nothing was written to the buffer.
    private mutating func refuse(_ ring: DescriptorRing16, length: Int) {
        writeBack(ring, ReceiveWriteBack(low: 0, high: 0).with(Self.refused, length: length))
    }

    /// A frame over several buffers: the stamp in the first alone, EOP and findings on the last.
    private mutating func deliverSplit(
        _ frame: UnsafeMutableRawPointer,
        length: Int,
        _ findings: ReceiveWriteBack,
        _ stamp: ReceiveStampHeader,
        _ ring: DescriptorRing16
    ) -> Outcome {
        var written = 0
        var stampBytes = self.stampBytes
        while written < length {
            let piece = min(length - written, bufferBytes - stampBytes)
            let isLast = written + piece == length
            let address = unsafe ring.loadLowUnchecked(hardware.head)
            guard let buffer = unsafe hardware.address(address, stampBytes + piece, .deviceWrites) else {
                refuse(ring, length: stampBytes + piece)
                return .dropped
            }
            var status = ReceiveStatus(raw: 0)
            status[.done] = true
            status[.endOfPacket] = isLast
            if stampBytes != 0 {
                unsafe Self.write(stamp, to: buffer)
                status[.stamped] = true
            }
            unsafe (buffer + stampBytes).copyMemory(from: frame + written, byteCount: piece)
            let value = isLast ? findings : ReceiveWriteBack(low: 0, high: 0)
            writeBack(ring, value.with(status, length: stampBytes + piece))
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
