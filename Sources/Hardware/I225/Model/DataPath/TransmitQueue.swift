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
    var hardware = HardwareQueue()
    var launch = LaunchTime()
    private var context = TransmitContextDescriptor(low: 0, high: 0)
    /// The segment at which a full wire or the budget stopped the frame at `head`.
    private var nextSegment = 0
    private(set) var malformed: UInt64 = 0
    /// Since the owner took them.
    private var segmentedFrames: UInt32 = 0

    init(number: Int) { self.number = number }

    /// Pieces of one frame; Linux uses at most 20.
    private static var mostDescriptors: Int { 64 }
    /// A frame to be segmented: 64 KB of payload and the longest headers that a context can name.
    static var scratchBytes: Int { 65536 + 127 + 511 + 255 }

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
    }

    /// Sends what lies before `doorbell`, `budget` descriptors at most.
    mutating func run(
        _ doorbell: UInt32,
        budget: Int,
        mac: inout TransmitMAC,
        time: borrowing TimeSync,
        capture: inout CaptureTap,
        memory: IOVASpace,
        scratch: UnsafeMutableRawPointer
    ) -> Progress {
        var progress = Progress()
        guard let ring = hardware.refresh(memory), let tail = hardware.tail(doorbell) else { return progress }
        var head = hardware.head
        let longest = mac.longestFrame
        let isPlainAllowed = !launch.isOn
        while head != tail, progress.descriptors < budget {
            let high = unsafe ring.loadHighUnchecked(head)
            progress.descriptors &+= 1
            if high & Self.plainMask == Self.plainBits, isPlainAllowed {
                let length = Int(truncatingIfNeeded: high & 0xFFFF)
                if length >= 14, length <= longest {
                    if let source = unsafe hardware.address(ring.loadLowUnchecked(head), length, .deviceReads, memory) {
                        let padded = mac.paddedLength(length)
                        guard let room = unsafe mac.reserve(padded) else {
                            progress.isBlocked = true
                            break
                        }
                        unsafe room.copyMemory(from: source, byteCount: length)
                        if padded != length { unsafe Self.clear(room + length, padded &- length) }
                        _ = unsafe mac.finish(room, length: padded, queue: number, time: time, capture: &capture)
                        progress.frames &+= 1
                    }
                } else {
                    malformed &+= 1
                }
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
                let step = unsafe sendGathered(
                    ring,
                    tail: tail,
                    mac: &mac,
                    time: time,
                    capture: &capture,
                    memory: memory,
                    scratch: scratch,
                    budget: budget,
                    progress: &progress
                )
                guard let step else {
                    progress.hasAdvanced = progress.hasAdvanced || progress.frames > 0
                    return progress
                }
                progress.hasAdvanced = true
                head = step
            case nil:
                malformed &+= 1
                Self.complete(ring, head, high)
                head = hardware.next(head)
            }
        }
        progress.hasAdvanced = progress.hasAdvanced || head != hardware.head
        hardware.head = head
        return progress
    }

    private static func clear(_ start: UnsafeMutableRawPointer, _ count: Int) {
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    /// DD, where it was asked for; all other bits stay.
    private static func complete(_ ring: DescriptorRing16, _ index: Int, _ high: UInt64) {
        let reportStatus: UInt64 = 1 << 27
        guard high & reportStatus != 0 else { return }
        unsafe ring.storeHighUnchecked(index, high | TransmitDataDescriptor.doneBit)
    }

    // MARK: Frames in pieces, with offloads, stamps, launch times

    /// Sends the frame at `hardware.head`; the descriptor after it, or nil where it must wait.
    private mutating func sendGathered(
        _ ring: DescriptorRing16,
        tail: Int,
        mac: inout TransmitMAC,
        time: borrowing TimeSync,
        capture: inout CaptureTap,
        memory: IOVASpace,
        scratch: UnsafeMutableRawPointer,
        budget: Int,
        progress: inout Progress
    ) -> Int? {
        guard let extent = measure(ring, tail: tail) else { return nil }
        if launch.isOn, !launch.isDue(time, now: mac.now) { return nil }

        let first = TransmitDataDescriptor(low: 0, high: ring.loadHigh(hardware.head))
        var isComplete = true
        if extent.isWellFormed {
            if first.command[.segment] {
                isComplete = unsafe sendSegments(
                    first,
                    extent,
                    ring,
                    mac: &mac,
                    time: time,
                    capture: &capture,
                    memory: memory,
                    scratch: scratch,
                    budget: budget,
                    progress: &progress
                )
            } else {
                isComplete = sendWhole(
                    first,
                    extent,
                    ring,
                    mac: &mac,
                    time: time,
                    capture: &capture,
                    memory: memory,
                    progress: &progress
                )
            }
        } else {
            malformed &+= 1
        }
        guard isComplete else { return nil }
        nextSegment = 0
        launch.forget()
        var index = hardware.head
        for _ in 0..<extent.descriptorCount {
            Self.complete(ring, index, ring.loadHigh(index))
            index = hardware.next(index)
        }
        return index
    }

    /// The descriptors of one frame.
    private struct Extent {
        var descriptorCount = 0
        var byteCount = 0
        var isWellFormed = true
    }

    /// From `head` to the end of the frame; nil where the end has not been rung in yet.
    private func measure(_ ring: DescriptorRing16, tail: Int) -> Extent? {
        var extent = Extent()
        var index = hardware.head
        while index != tail {
            let descriptor = TransmitDataDescriptor(low: 0, high: ring.loadHigh(index))
            extent.descriptorCount += 1
            extent.byteCount += Int(descriptor.command[.length])
            let isData = descriptor.command[.descriptorType] == UInt32(TransmitDescriptorType.data.rawValue)
            if !isData || !descriptor.command[.extended] { extent.isWellFormed = false }
            if descriptor.command[.endOfPacket] || !isData { return extent }
            if extent.descriptorCount == Self.mostDescriptors {
                extent.isWellFormed = false
                return extent
            }
            index = hardware.next(index)
        }
        return nil
    }

    /// Copies the pieces of a frame to `destination`, which has room for the extent; false if they are not what they
    /// were when measured, or not all can be reached.
    private mutating func gather(
        _ extent: Extent,
        _ ring: DescriptorRing16,
        into destination: UnsafeMutableRawPointer,
        _ memory: IOVASpace
    ) -> Bool {
        var index = hardware.head
        var filled = 0
        for _ in 0..<extent.descriptorCount {
            let piece = TransmitDataDescriptor(low: ring.loadLow(index), high: ring.loadHigh(index))
            let length = Int(piece.command[.length])
            guard length <= extent.byteCount - filled else { return false }
            if length > 0 {
                guard let source = unsafe hardware.address(piece.bufferAddress, length, .deviceReads, memory) else {
                    return false
                }
                unsafe (destination + filled).copyMemory(from: source, byteCount: length)
                filled += length
            }
            index = hardware.next(index)
        }
        return filled == extent.byteCount
    }

    private func offload(_ descriptor: TransmitDataDescriptor) -> TransmitOffload {
        let transport: TransportProtocol =
            switch context.transport {
            case .udp: .udp
            case .tcp: .tcp
            case .sctp: .sctp
            case nil: .none
            }
        return TransmitOffload(
            macHeaderBytes: context.macHeaderLength,
            networkHeaderBytes: context.ipHeaderLength,
            transportHeaderBytes: context.transportHeaderLength,
            isIPv4: context.isIPv4,
            transport: transport,
            fillsNetworkChecksum: descriptor.options[.insertIPChecksum],
            fillsTransportChecksum: descriptor.options[.insertTransportChecksum],
            maximumSegmentBytes: context.segmentSize
        )
    }

    /// One frame as it is; false where the wire is full.
    private mutating func sendWhole(
        _ first: TransmitDataDescriptor,
        _ extent: Extent,
        _ ring: DescriptorRing16,
        mac: inout TransmitMAC,
        time: borrowing TimeSync,
        capture: inout CaptureTap,
        memory: IOVASpace,
        progress: inout Progress
    ) -> Bool {
        let tagBytes = first.command[.insertVLAN] ? VLANTag.byteCount : 0
        let length = extent.byteCount + tagBytes
        guard extent.byteCount >= 14, length <= mac.longestFrame else {
            malformed &+= 1
            return true
        }
        let padded = mac.paddedLength(length)
        guard let room = unsafe mac.reserve(padded) else {
            progress.isBlocked = true
            return false
        }
        let faults = memory.faults
        guard unsafe gather(extent, ring, into: room + tagBytes, memory) else {
            if memory.faults == faults { malformed &+= 1 }
            return true
        }
        do throws(OffloadError) {
            var frame = unsafe MutableRawSpan(_unsafeStart: room + tagBytes, byteCount: extent.byteCount)
            try TransmitChecksum.fill(offload(first), in: &frame)
            if tagBytes > 0 {
                var tagged = unsafe MutableRawSpan(_unsafeStart: room, byteCount: length)
                try VLANTag.insert(context.vlanTag, type: mac.vlanType, into: &tagged)
            }
        } catch {
            malformed &+= 1
            return true
        }
        if padded != length { unsafe Self.clear(room + length, padded - length) }
        let wireTime = unsafe mac.finish(room, length: padded, queue: number, time: time, capture: &capture)
        if first.command[.stamp] { mac.stamp(first.command, first.options, wireTime: wireTime, time: time) }
        progress.frames += 1
        return true
    }

    /// A frame as many; false where the wire is full or the budget is spent.
    private mutating func sendSegments(
        _ first: TransmitDataDescriptor,
        _ extent: Extent,
        _ ring: DescriptorRing16,
        mac: inout TransmitMAC,
        time: borrowing TimeSync,
        capture: inout CaptureTap,
        memory: IOVASpace,
        scratch: UnsafeMutableRawPointer,
        budget: Int,
        progress: inout Progress
    ) -> Bool {
        guard extent.byteCount <= Self.scratchBytes else {
            malformed &+= 1
            return true
        }
        let faults = memory.faults
        guard unsafe gather(extent, ring, into: scratch, memory) else {
            if memory.faults == faults { malformed &+= 1 }
            return true
        }
        let tagBytes = first.command[.insertVLAN] ? VLANTag.byteCount : 0
        let segmentation: Segmentation
        do throws(OffloadError) {
            segmentation = try Segmentation(
                offload(first),
                frameBytes: extent.byteCount,
                limit: mac.longestFrame - tagBytes
            )
        } catch {
            malformed &+= 1
            return true
        }
        let frame = unsafe RawSpan(_unsafeStart: scratch, byteCount: extent.byteCount)
        while nextSegment < segmentation.segmentCount {
            guard progress.descriptors <= budget else { return false }
            let bytes = segmentation.segmentBytes(nextSegment)
            let length = bytes + tagBytes
            let padded = mac.paddedLength(length)
            guard let room = unsafe mac.reserve(padded) else {
                progress.isBlocked = true
                return false
            }
            do throws(OffloadError) {
                var segment = unsafe MutableRawSpan(_unsafeStart: room + tagBytes, byteCount: bytes)
                segmentation.write(nextSegment, of: frame, into: &segment)
                if tagBytes > 0 {
                    var tagged = unsafe MutableRawSpan(_unsafeStart: room, byteCount: length)
                    try VLANTag.insert(context.vlanTag, type: mac.vlanType, into: &tagged)
                }
            } catch {
                malformed &+= 1
                return true
            }
            if padded != length { unsafe Self.clear(room + length, padded - length) }
            let wireTime = unsafe mac.finish(room, length: padded, queue: number, time: time, capture: &capture)
            if nextSegment == 0, first.command[.stamp] {
                mac.stamp(first.command, first.options, wireTime: wireTime, time: time)
            }
            nextSegment += 1
            progress.frames += 1
            progress.descriptors += 1
        }
        segmentedFrames &+= 1
        return true
    }

    mutating func takeSegmentedFrames() -> UInt32 {
        defer { segmentedFrames = 0 }
        return segmentedFrames
    }
}
