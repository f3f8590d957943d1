// One transmit queue: descriptors in, frames out.
//
// A plain frame in one descriptor, which is what a fast driver sends, takes the short way; pieces, offloads, stamps and
// launch times take `sendGathered`. A descriptor is read again wherever it is used again, and checked again: the driver
// may change it meanwhile. Source: I225 contract, sections 4.2, 4.3 and 6.4.

import Ethernet
import I225Wire
import Memory
import Registers
import Rings

@safe struct TransmitQueue: ~Copyable {
    // SAFETY: indices start at a head below the ring's count (`refresh`) and `next` keeps them there; buffers through `hardware.address`, checked for the bytes copied;
    // frames into room that was reserved for as many bytes.
    let number: Int
    /// For the count of faults.
    let memory: IOVASpace
    var hardware: HardwareQueue
    var launch = LaunchTime()
    var context = TransmitContextDescriptor(low: 0, high: 0)
    /// The segment at which a full wire or the budget stopped the frame at `head`.
    var nextSegment = 0
    var malformed: UInt64 = 0
    /// Since the owner took them.
    var segmentedFrames: UInt32 = 0
    var hasSegmented = false
    private var descriptorsSinceAwaited = 0

    init(number: Int, _ memory: IOVASpace) {
        self.number = number
        self.memory = memory
        hardware = HardwareQueue(memory)
    }

    /// Pieces of one frame; Linux uses at most 20.
    static var mostDescriptors: Int { 64 }

    // Quadword 1 of a plain frame in one descriptor: DTYP 3, EOP, DEXT; no stamp, VLAN, segmentation or checksum.
    private static var plainMask: UInt64 { 0x0000_0300_E1F8_0000 }
    private static var plainBits: UInt64 { 0x0000_0000_2130_0000 }

    mutating func reset() {
        hardware.program(base: 0, byteCount: 0, isEnabled: false)
        hardware.head = 0
        stop()
    }

    /// The queue was disabled: what was begun is forgotten.
    mutating func stop() {
        context = TransmitContextDescriptor(low: 0, high: 0)
        nextSegment = 0
        launch.forget()
    }

    /// What a burst came to.
    struct Progress {
        var frames = 0
        var descriptors = 0
        /// The wire is full.
        var isBlocked = false
        /// A frame or a descriptor is done.
        var hasAdvanced = false
        /// The commands of all completed descriptors, one over the other.
        var completed: UInt64 = 0

        /// DD was written somewhere.
        var hasWrittenBack: Bool { completed & TransmitQueue.reportStatus != 0 }
    }

    /// RS, in quadword 1.
    private static var reportStatus: UInt64 { 1 << 27 }

    /// Sends what lies before `doorbell`, `budget` descriptors at most.
    mutating func run(_ doorbell: UInt32, budget: Int, mac: inout MAC) -> Progress {
        var progress = Progress()
        guard let ring = hardware.refresh(), let tail = hardware.tail(doorbell) else { return progress }
        var head = hardware.head
        let longest = mac.longestFrame
        let isPlainAllowed = !launch.isOn
        while head != tail, progress.descriptors < budget {
            let high = unsafe ring.loadHighUnchecked(head)
            progress.descriptors &+= 1
            if high & Self.plainMask == Self.plainBits, isPlainAllowed {
                let length = Int(truncatingIfNeeded: high & 0xFFFF)
                if length >= 14, length <= longest {
                    if let source = unsafe hardware.address(ring.loadLowUnchecked(head), length, .deviceReads) {
                        let padded = mac.paddedLength(length)
                        guard let room = unsafe mac.reserve(padded) else {
                            progress.isBlocked = true
                            break
                        }
                        unsafe room.copyMemory(from: source, byteCount: length)
                        if padded != length { unsafe Self.clear(room + length, padded &- length) }
                        _ = unsafe mac.finish(room, length: padded, queue: number)
                        progress.frames &+= 1
                    } else if hardware.isWaiting {
                        break
                    }
                } else {
                    malformed &+= 1
                }
                progress.completed |= high
                Self.complete(ring, head, high)
                head = hardware.next(head)
                continue
            }
            switch TransmitDescriptorType(high: high) {
            case .context:
                context = TransmitContextDescriptor(low: ring.loadLow(head), high: high)
                launch.arm(context)
                head = hardware.next(head)
            case .data:
                progress.hasAdvanced = progress.hasAdvanced || head != hardware.head
                hardware.head = head
                guard let step = sendGathered(ring, tail: tail, budget: budget, mac: &mac, &progress) else {
                    progress.hasAdvanced = progress.hasAdvanced || progress.frames > 0
                    return progress
                }
                progress.hasAdvanced = true
                head = step
            case nil:
                malformed &+= 1
                progress.completed |= high
                Self.complete(ring, head, high)
                head = hardware.next(head)
            }
        }
        progress.hasAdvanced = progress.hasAdvanced || head != hardware.head
        hardware.head = head
        return progress
    }

    static func clear(_ start: UnsafeMutableRawPointer, _ count: Int) {
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    /// DD, where it was asked for; all other bits stay.
    static func complete(_ ring: DescriptorRing16, _ index: Int, _ high: UInt64) {
        guard high & Self.reportStatus != 0 else { return }
        unsafe ring.storeHighUnchecked(index, high | TransmitDataDescriptor.doneBit)
    }

    /// Whether a quarter of the ring is done, or a send that was cut into segments, since this was last true.
    mutating func takeAwaited(_ burst: Progress) -> Bool {
        descriptorsSinceAwaited &+= burst.descriptors
        guard hasSegmented || descriptorsSinceAwaited >= hardware.count / 4 else { return false }
        descriptorsSinceAwaited = 0
        hasSegmented = false
        return true
    }

    mutating func takeSegmentedFrames() -> UInt32 {
        defer { segmentedFrames = 0 }
        return segmentedFrames
    }
}
