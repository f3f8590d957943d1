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
    var buffers: BufferAccess
    /// What is here of frames in remote memory.
    var remotePieces: RemotePieces
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
        remotePieces = RemotePieces(memory)
    }

    /// What a burst came to.
    struct Progress {
        var requests = 0
        var frames = 0
        /// Requests and segments: what the budget counts.
        var steps = 0
        /// The wire is full: nothing wakes the device when it drains.
        var isBlocked = false
        /// Requests or their pieces are on their way from remote memory: to be tried again in a later burst.
        var isWaiting = false
    }

    /// What became of the request at the head.
    enum Step {
        case done
        /// It stays where it is, for the wire is full or the budget spent.
        case held
        case refused(SendRefusal)
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
        guard work.available > 0 || work.isWaiting else { return progress }
        guard work.refresh(), completions.refresh() else {
            unreachable &+= 1
            return progress
        }
        buffers.refresh()
        while work.available > 0, progress.steps < budget {
            progress.steps &+= 1
            let control = work.header.control
            let span = control.spanBytes
            guard span <= min(work.available, MANA.longestSendBytes) else {
                if work.isWaiting(for: min(span, MANA.longestSendBytes)) { break }
                refuse(.beyondTail, &counters)
                work.advance(work.available)
                progress.requests &+= 1
                continue
            }
            switch take(control, budget: budget, offset: offset, &wire, &counters, &progress) {
            case .done: break
            case .held: return progress
            case .refused(let refusal): refuse(refusal, &counters)
            }
            nextSegment = 0
            work.advance(span)
            progress.requests &+= 1
        }
        if work.isWaiting {
            // What was done makes room for what follows.
            progress.isWaiting = work.refresh()
        }
        return progress
    }

    @inline(never) private mutating func refuse(_ refusal: SendRefusal, _ counters: inout FunctionCounters) {
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
    ) -> Step {
        let first = work.load(8)
        let request = TransmitRequest(raw: UInt32(truncatingIfNeeded: first))
        let place = TransmitPlace(raw: UInt32(truncatingIfNeeded: first &>> 32))
        var tag = TransmitTag(raw: 0)
        var named = place[.portOffset]
        if request[.format] == 0 {
            guard control.inlineBytes == 8 || control.inlineBytes == 24 else { return .refused(.outOfBand) }
        } else {
            guard request[.format] == 1, control.inlineBytes == 24 else { return .refused(.outOfBand) }
            let second = work.load(16)
            tag = TransmitTag(raw: UInt32(truncatingIfNeeded: second))
            named = TransmitInner(raw: UInt32(truncatingIfNeeded: second &>> 32))[.portOffset]
            guard !tag[.isEncapsulated] else { return .refused(.unsupported) }
        }
        guard request[.completionQueue] == completions.id, place[.queueFrame] == (id &>> 10) & 0x3FFF else {
            return .refused(.otherQueue)
        }
        guard let offset else { return .refused(.portDisabled) }
        guard named == offset else { return .refused(.portOffset) }
        let step =
            control[.segments]
            ? sendSegments(control, request, place, tag, budget: budget, &wire, &counters, &progress)
            : sendWhole(control, request, place, tag, &wire, &counters, &progress)
        if case .done = step, !request[.isSilent] { complete(CompletionHead(.sent)) }
        return step
    }

    /// The bytes of all pieces; nil where they are more than `limit`.
    @inline(__always) private func measure(_ control: WorkRequestControl, limit: Int) -> Int? {
        let listOffset = control.listOffset
        var total = 0
        for index in 0..<control.pieceCount {
            total &+= Int(truncatingIfNeeded: work.piece(index, listOffset: listOffset).length)
            // Lengths have 32 bits: what is looked at piece by piece does not wrap.
            guard total <= limit else { return nil }
        }
        return total
    }

    /// One frame as it is.
    @inline(__always) private mutating func sendWhole(
        _ control: WorkRequestControl,
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ tag: TransmitTag,
        _ wire: inout TransmitWire,
        _ counters: inout FunctionCounters,
        _ progress: inout Progress
    ) -> Step {
        guard let frameBytes = measure(control, limit: wire.longestFrame) else { return .refused(.tooLong) }
        guard frameBytes >= MANA.headerBytes else { return .refused(.tooShort) }
        let tagBytes = tag[.insertsVLAN] ? VLANTag.byteCount : 0
        let length = frameBytes &+ tagBytes
        guard let room = unsafe wire.reserve(length) else {
            progress.isBlocked = true
            return .held
        }
        if let step = unsafe gather(control, into: room + tagBytes, total: frameBytes, &progress) { return step }
        if request.raw & Self.checksums != 0,
            unsafe !fillChecksums(request, place, room + tagBytes, frameBytes)
        {
            return .refused(.headers)
        }
        if tagBytes > 0 { unsafe Self.insert(tag, into: room, length) }
        unsafe wire.finish(room, length: length, queue: Int(id), &counters)
        progress.frames &+= 1
        return .done
    }

    /// Bits of `ipChecksum`, `tcpChecksum` and `udpChecksum`.
    private static var checksums: UInt32 { 7 << 4 }

    @inline(never) private static func insert(_ tag: TransmitTag, into room: UnsafeMutableRawPointer, _ length: Int) {
        var tagged = unsafe MutableRawSpan(_unsafeStart: room, byteCount: length)
        // A frame of 14 bytes has room for it.
        try? VLANTag.insert(tag.control, into: &tagged)
    }

    /// Whether what was asked for could be filled in.
    @inline(never) private func fillChecksums(
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ frame: UnsafeMutableRawPointer,
        _ byteCount: Int
    ) -> Bool {
        var span = unsafe MutableRawSpan(_unsafeStart: frame, byteCount: byteCount)
        let headers = FrameHeaders(span.bytes)
        guard let offload = offload(request, place, headers, transportHeaderBytes: 0, segmentBytes: 0) else {
            return false
        }
        do throws(OffloadError) {
            try TransmitChecksum.fill(offload, in: &span)
            return true
        } catch {
            return false
        }
    }

    /// What the out-of-band words ask for; nil where the frame is not of that kind. Where the transport starts they say
    /// for TCP alone; else the device looks.
    private func offload(
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ headers: FrameHeaders,
        transportHeaderBytes: Int,
        segmentBytes: Int
    ) -> TransmitOffload? {
        let fillsTCP = request[.tcpChecksum]
        let fillsUDP = request[.udpChecksum]
        let isIPv4 = headers.etherType == 0x0800
        guard isIPv4 ? !request[.isIPv6] : headers.etherType == 0x86DD && !request[.isIPv4], !(fillsTCP && fillsUDP)
        else { return nil }
        var transportOffset = Int(place[.transportOffset])
        if !fillsTCP {
            guard !fillsUDP || headers.transport == .udp else { return nil }
            transportOffset = fillsUDP ? headers.transportOffset : headers.networkOffset &+ headers.networkHeaderBytes
        }
        guard transportOffset >= headers.networkOffset else { return nil }
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

    /// A frame as many.
    @inline(never) private mutating func sendSegments(
        _ control: WorkRequestControl,
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ tag: TransmitTag,
        budget: Int,
        _ wire: inout TransmitWire,
        _ counters: inout FunctionCounters,
        _ progress: inout Progress
    ) -> Step {
        guard let frameBytes = measure(control, limit: TransmitWire.scratchBytes) else { return .refused(.tooLong) }
        guard frameBytes >= MANA.headerBytes else { return .refused(.tooShort) }
        // The first piece is the headers, and no more.
        let headerBytes = Int(work.header.lastBytes)
        guard control.pieceCount > 0, work.piece(0, listOffset: control.listOffset).length == headerBytes else {
            return .refused(.outOfBand)
        }
        if let step = unsafe gather(control, into: wire.scratch, total: frameBytes, &progress) { return step }
        let frame = unsafe RawSpan(_unsafeStart: wire.scratch, byteCount: frameBytes)
        let segmentation: Segmentation
        switch Self.cut(frame, offload(request, place, control, frame, headerBytes: headerBytes), wire.longestFrame) {
        case .success(let found): segmentation = found
        case .failure(let refusal): return .refused(refusal)
        }
        let tagBytes = tag[.insertsVLAN] ? VLANTag.byteCount : 0
        while nextSegment < segmentation.segmentCount {
            guard progress.steps <= budget else { return .held }
            let bytes = segmentation.segmentBytes(nextSegment)
            guard let room = unsafe wire.reserve(bytes &+ tagBytes) else {
                progress.isBlocked = true
                return .held
            }
            var segment = unsafe MutableRawSpan(_unsafeStart: room + tagBytes, byteCount: bytes)
            segmentation.write(nextSegment, of: frame, into: &segment)
            if tagBytes > 0 { unsafe Self.insert(tag, into: room, bytes &+ tagBytes) }
            unsafe wire.finish(room, length: bytes &+ tagBytes, queue: Int(id), &counters)
            nextSegment += 1
            progress.steps += 1
            progress.frames += 1
        }
        return .done
    }

    /// What segmentation asks for; see above.
    private func offload(
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ control: WorkRequestControl,
        _ frame: RawSpan,
        headerBytes: Int
    ) -> TransmitOffload? {
        let transportHeaderBytes = headerBytes - Int(place[.transportOffset])
        guard transportHeaderBytes >= 0 else { return nil }
        return offload(
            request,
            place,
            FrameHeaders(frame),
            transportHeaderBytes: transportHeaderBytes,
            segmentBytes: Int(control[.segmentBytes])
        )
    }

    private static func cut(
        _ frame: RawSpan,
        _ offload: TransmitOffload?,
        _ longestFrame: Int
    ) -> Result<Segmentation, SendRefusal> {
        guard let offload else { return .failure(.headers) }
        do throws(OffloadError) {
            return .success(try Segmentation(offload, frameBytes: frame.byteCount, limit: longestFrame))
        } catch {
            return .failure(error == .segmentTooLong ? .tooLong : .headers)
        }
    }
}
