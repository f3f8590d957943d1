// One send queue with its completion queue: requests in, frames out, a completion for each request.
//
// A request lies in memory that the driver may change at any time: what was checked once is used as it was checked, and
// pieces are read again only under the bounds of the first look.
// Source: Linux mana_start_xmit, mana_poll_tx_cq (mana_en.c), mana_gd_post_work_request (gdma_main.c) of 6.12 and 7.x.

import Ethernet
import MANAWire
import Memory
import Registers

@safe package struct SendQueue: ~Copyable {
    // SAFETY: pieces through `buffers`, checked for the bytes copied; frames into room reserved for as many bytes, or into
    // the wire's scratch, which the frame was held against.
    package let id: UInt32
    /// The port that its frames leave by.
    package let port: Int
    package var work: WorkQueue
    package var completions: CompletionQueue
    private var buffers: BufferAccess
    /// The segment at which a full wire or the budget stopped the request at the head.
    private var nextSegment = 0
    /// Bursts that found the ring's memory gone.
    package private(set) var unreachable: UInt64 = 0

    /// - Parameter memoryKey: what pieces must carry (REGISTER_DEVICE's gpa_mkey).
    package init(
        id: UInt32,
        port: Int,
        work: consuming RingMemory,
        completions: consuming CompletionQueue,
        memory: IOVASpace,
        memoryKey: UInt32
    ) {
        self.id = id
        self.port = port
        self.work = WorkQueue(work)
        self.completions = completions
        buffers = BufferAccess(memory, key: memoryKey)
    }

    /// What a burst came to.
    struct Progress {
        var requests = 0
        var frames = 0
        /// Requests and segments: what the budget counts.
        var steps = 0
        /// The wire is full: nothing wakes the device when it drains.
        var isBlocked = false
    }

    /// What became of the request at the head.
    private enum Step {
        case done
        /// It stays where it is, for the wire is full or the budget spent.
        case held
    }

    /// Takes up to `budget` requests, or as many segments.
    ///
    /// - Parameter offset: what frames must name; nil: the port is disabled.
    mutating func run(
        budget: Int,
        offset: UInt32?,
        _ wire: inout TransmitWire,
        _ counters: inout FunctionCounters
    ) -> Progress {
        var progress = Progress()
        guard work.available > 0 else { return progress }
        guard work.ring.refresh(), completions.refresh() else {
            unreachable &+= 1
            return progress
        }
        buffers.refresh()
        while work.available > 0, progress.steps < budget {
            progress.steps &+= 1
            let control = work.header.control
            let span = control.spanBytes
            guard span <= min(work.available, MANA.longestSendBytes) else {
                refuse(.beyondTail, &counters)
                work.advance(work.available)
                progress.requests &+= 1
                continue
            }
            do throws(SendRefusal) {
                guard case .done = try take(control, budget: budget, offset: offset, &wire, &counters, &progress)
                else { break }
            } catch {
                refuse(error, &counters)
            }
            nextSegment = 0
            work.advance(span)
            progress.requests &+= 1
        }
        return progress
    }

    private mutating func refuse(_ refusal: SendRefusal, _ counters: inout FunctionCounters) {
        counters.add(refusal.statistic)
        complete(CompletionHead(refusal.type, vendorError: refusal.rawValue))
    }

    @inline(__always) private mutating func complete(_ head: CompletionHead) {
        completions.post(
            [UInt64(head.raw), UInt64(work.headOffset), 0, 0, 0, 0, 0],
            queue: id,
            isSend: true
        )
    }

    /// One request: checked, and its frame or frames put on the wire.
    @inline(__always) private mutating func take(
        _ control: WorkRequestControl,
        budget: Int,
        offset: UInt32?,
        _ wire: inout TransmitWire,
        _ counters: inout FunctionCounters,
        _ progress: inout Progress
    ) throws(SendRefusal) -> Step {
        let first = work.load(8)
        let request = TransmitRequest(raw: UInt32(truncatingIfNeeded: first))
        let place = TransmitPlace(raw: UInt32(truncatingIfNeeded: first &>> 32))
        var tag = TransmitTag(raw: 0)
        var named = place[.portOffset]
        if request[.format] == 0 {
            guard control.inlineBytes == 8 || control.inlineBytes == 24 else { throw .outOfBand }
        } else {
            guard request[.format] == 1, control.inlineBytes == 24 else { throw .outOfBand }
            let second = work.load(16)
            tag = TransmitTag(raw: UInt32(truncatingIfNeeded: second))
            named = TransmitInner(raw: UInt32(truncatingIfNeeded: second &>> 32))[.portOffset]
            guard !tag[.isEncapsulated] else { throw .unsupported }
        }
        guard request[.completionQueue] == completions.id, place[.queueFrame] == (id &>> 10) & 0x3FFF else {
            throw .otherQueue
        }
        guard let offset else { throw .portDisabled }
        guard named == offset else { throw .portOffset }
        if control[.segments] {
            guard try sendSegments(control, request, place, tag, budget: budget, &wire, &counters, &progress) else {
                return .held
            }
        } else {
            guard try sendWhole(control, request, place, tag, &wire, &counters, &progress) else { return .held }
        }
        if !request[.isSilent] { complete(CompletionHead(.sent)) }
        return .done
    }

    /// The bytes of all pieces, up to `limit`.
    @inline(__always) private func measure(
        _ control: WorkRequestControl,
        limit: Int,
        beyond: SendRefusal
    ) throws(SendRefusal) -> Int {
        let listOffset = control.listOffset
        var total = 0
        for index in 0..<control.pieceCount {
            total &+= Int(truncatingIfNeeded: work.piece(index, listOffset: listOffset).length)
            // Lengths have 32 bits, and there are 30 of them.
            guard total <= limit else { throw beyond }
        }
        return total
    }

    /// Copies the pieces to `destination`, which has room for `total` bytes. They may have changed since they were
    /// measured.
    @inline(__always) private mutating func gather(
        _ control: WorkRequestControl,
        into destination: UnsafeMutableRawPointer,
        total: Int
    ) throws(SendRefusal) {
        let listOffset = control.listOffset
        var filled = 0
        for index in 0..<control.pieceCount {
            let piece = work.piece(index, listOffset: listOffset)
            let length = Int(truncatingIfNeeded: piece.length)
            // DPDK's "no memory" has an address where nothing is.
            guard length > 0 else { continue }
            guard length <= total &- filled, let source = unsafe buffers.address(piece, .deviceReads) else {
                throw .memory
            }
            unsafe (destination + filled).copyMemory(from: source, byteCount: length)
            filled &+= length
        }
        guard filled == total else { throw .memory }
    }

    /// One frame as it is; false where the wire is full.
    @inline(__always) private mutating func sendWhole(
        _ control: WorkRequestControl,
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ tag: TransmitTag,
        _ wire: inout TransmitWire,
        _ counters: inout FunctionCounters,
        _ progress: inout Progress
    ) throws(SendRefusal) -> Bool {
        let frameBytes = try measure(control, limit: wire.longestFrame, beyond: .tooLong)
        guard frameBytes >= MANA.headerBytes else { throw .tooShort }
        let tagBytes = tag[.insertsVLAN] ? VLANTag.byteCount : 0
        let length = frameBytes &+ tagBytes
        guard let room = unsafe wire.reserve(length) else {
            progress.isBlocked = true
            return false
        }
        try unsafe gather(control, into: room + tagBytes, total: frameBytes)
        if request.raw & Self.checksums != 0 {
            try unsafe fillChecksums(request, place, room + tagBytes, frameBytes)
        }
        if tagBytes > 0 { unsafe Self.insert(tag, into: room, length) }
        unsafe wire.finish(room, length: length, queue: Int(id), &counters)
        progress.frames &+= 1
        return true
    }

    /// Bits of `ipChecksum`, `tcpChecksum` and `udpChecksum`.
    private static var checksums: UInt32 { 7 << 4 }

    @inline(never) private static func insert(_ tag: TransmitTag, into room: UnsafeMutableRawPointer, _ length: Int) {
        var tagged = unsafe MutableRawSpan(_unsafeStart: room, byteCount: length)
        // A frame of 14 bytes has room for it.
        try? VLANTag.insert(tag.control, into: &tagged)
    }

    @inline(never) private func fillChecksums(
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ frame: UnsafeMutableRawPointer,
        _ byteCount: Int
    ) throws(SendRefusal) {
        var span = unsafe MutableRawSpan(_unsafeStart: frame, byteCount: byteCount)
        let headers = FrameHeaders(span.bytes)
        let offload = try offload(request, place, headers, transportHeaderBytes: 0, segmentBytes: 0)
        do throws(OffloadError) {
            try TransmitChecksum.fill(offload, in: &span)
        } catch {
            throw .headers
        }
    }

    /// What the out-of-band words ask for. Where the transport starts they say for TCP alone; else the device looks.
    private func offload(
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ headers: FrameHeaders,
        transportHeaderBytes: Int,
        segmentBytes: Int
    ) throws(SendRefusal) -> TransmitOffload {
        let fillsTCP = request[.tcpChecksum]
        let fillsUDP = request[.udpChecksum]
        let isIPv4 = headers.etherType == 0x0800
        guard isIPv4 ? !request[.isIPv6] : headers.etherType == 0x86DD && !request[.isIPv4], !(fillsTCP && fillsUDP)
        else { throw .headers }
        var transportOffset = Int(place[.transportOffset])
        if !fillsTCP {
            guard !fillsUDP || headers.transport == .udp else { throw .headers }
            transportOffset = fillsUDP ? headers.transportOffset : headers.networkOffset &+ headers.networkHeaderBytes
        }
        guard transportOffset >= headers.networkOffset else { throw .headers }
        return TransmitOffload(
            macHeaderBytes: headers.networkOffset,
            networkHeaderBytes: transportOffset - headers.networkOffset,
            transportHeaderBytes: transportHeaderBytes,
            isIPv4: isIPv4,
            transport: fillsTCP ? .tcp : fillsUDP ? .udp : .none,
            fillsNetworkChecksum: request[.ipChecksum],
            fillsTransportChecksum: fillsTCP || fillsUDP,
            maximumSegmentBytes: segmentBytes
        )
    }

    /// A frame as many; false where the wire is full or the budget is spent.
    @inline(never) private mutating func sendSegments(
        _ control: WorkRequestControl,
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ tag: TransmitTag,
        budget: Int,
        _ wire: inout TransmitWire,
        _ counters: inout FunctionCounters,
        _ progress: inout Progress
    ) throws(SendRefusal) -> Bool {
        let frameBytes = try measure(control, limit: TransmitWire.scratchBytes, beyond: .tooLong)
        guard frameBytes >= MANA.headerBytes else { throw .tooShort }
        // The first piece is the headers, and no more.
        let headerBytes = Int(work.header.lastBytes)
        guard control.pieceCount > 0, work.piece(0, listOffset: control.listOffset).length == headerBytes else {
            throw .outOfBand
        }
        try unsafe gather(control, into: wire.scratch, total: frameBytes)
        let frame = unsafe RawSpan(_unsafeStart: wire.scratch, byteCount: frameBytes)
        let transportHeaderBytes = headerBytes - Int(place[.transportOffset])
        guard transportHeaderBytes >= 0 else { throw .headers }
        let offload = try offload(
            request,
            place,
            FrameHeaders(frame),
            transportHeaderBytes: transportHeaderBytes,
            segmentBytes: Int(control[.segmentBytes])
        )
        let segmentation: Segmentation
        do throws(OffloadError) {
            segmentation = try Segmentation(offload, frameBytes: frameBytes, limit: wire.longestFrame)
        } catch {
            throw error == .segmentTooLong ? .tooLong : .headers
        }
        let tagBytes = tag[.insertsVLAN] ? VLANTag.byteCount : 0
        while nextSegment < segmentation.segmentCount {
            guard progress.steps <= budget else { return false }
            let bytes = segmentation.segmentBytes(nextSegment)
            guard let room = unsafe wire.reserve(bytes &+ tagBytes) else {
                progress.isBlocked = true
                return false
            }
            var segment = unsafe MutableRawSpan(_unsafeStart: room + tagBytes, byteCount: bytes)
            segmentation.write(nextSegment, of: frame, into: &segment)
            if tagBytes > 0 { unsafe Self.insert(tag, into: room, bytes &+ tagBytes) }
            unsafe wire.finish(room, length: bytes &+ tagBytes, queue: Int(id), &counters)
            nextSegment += 1
            progress.steps += 1
            progress.frames += 1
        }
        return true
    }
}
