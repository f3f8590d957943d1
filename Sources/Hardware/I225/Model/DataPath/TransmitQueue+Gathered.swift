// The long way out: frames in pieces, with offloads, stamps or launch times. A piece is read again where it is copied, and
// checked again, because the driver may have changed it since it was measured.

import Ethernet
import I225Wire
import Memory
import Registers
import Rings

extension TransmitQueue {
    // SAFETY: as in the type: buffers are checked for the bytes copied, room and scratch hold what is written to them.

    /// Sends the frame at `hardware.head`; the descriptor after it, or nil where it must wait.
    mutating func sendGathered(
        _ ring: DescriptorRing16,
        tail: Int,
        budget: Int,
        mac: inout MAC,
        _ progress: inout Progress
    ) -> Int? {
        guard let extent = measure(ring, tail: tail) else { return nil }
        if launch.isOn, !launch.isDue(mac.timer0, now: mac.now) { return nil }

        let first = TransmitDataDescriptor(low: 0, high: ring.loadHigh(hardware.head))
        var isComplete = true
        if extent.isWellFormed {
            if first.command[.segment] {
                isComplete = sendSegments(first, extent, ring, budget: budget, mac: &mac, &progress)
            } else {
                isComplete = sendWhole(first, extent, ring, mac: &mac, &progress)
            }
        } else {
            malformed &+= 1
        }
        guard isComplete else { return nil }
        nextSegment = 0
        launch.forget()
        var index = hardware.head
        for _ in 0..<extent.descriptorCount {
            let high = ring.loadHigh(index)
            progress.completed |= high
            Self.complete(ring, index, high)
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
        into destination: UnsafeMutableRawPointer
    ) -> Bool {
        var index = hardware.head
        var filled = 0
        for _ in 0..<extent.descriptorCount {
            let piece = TransmitDataDescriptor(low: ring.loadLow(index), high: ring.loadHigh(index))
            let length = Int(piece.command[.length])
            guard length <= extent.byteCount - filled else { return false }
            if length > 0 {
                guard let source = unsafe hardware.address(piece.bufferAddress, length, .deviceReads) else {
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
        mac: inout MAC,
        _ progress: inout Progress
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
        guard unsafe gather(extent, ring, into: room + tagBytes) else {
            if hardware.isWaiting { return false }
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
        let wireTime = unsafe mac.finish(room, length: padded, queue: number)
        if first.command[.stamp] { mac.stamp(first.command, first.options, wireTime: wireTime) }
        progress.frames += 1
        return true
    }

    /// A frame as many; false where the wire is full or the budget is spent.
    private mutating func sendSegments(
        _ first: TransmitDataDescriptor,
        _ extent: Extent,
        _ ring: DescriptorRing16,
        budget: Int,
        mac: inout MAC,
        _ progress: inout Progress
    ) -> Bool {
        guard extent.byteCount <= MAC.scratchBytes else {
            malformed &+= 1
            return true
        }
        let faults = memory.faults
        guard unsafe gather(extent, ring, into: mac.scratch) else {
            if hardware.isWaiting { return false }
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
        let frame = unsafe RawSpan(_unsafeStart: mac.scratch, byteCount: extent.byteCount)
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
            let wireTime = unsafe mac.finish(room, length: padded, queue: number)
            if nextSegment == 0, first.command[.stamp] {
                mac.stamp(first.command, first.options, wireTime: wireTime)
            }
            nextSegment += 1
            progress.frames += 1
            progress.descriptors += 1
        }
        segmentedFrames &+= 1
        hasSegmented = true
        return true
    }
}
