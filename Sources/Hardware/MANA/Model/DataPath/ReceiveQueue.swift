// One receive queue with its completion queue: a frame into the buffer of the next request, and completions that tell of
// one frame or of several. The driver takes its buffers back in the order it posted them, so every request that was used,
// or cannot be, is told of in that order.
// Source: Linux mana_process_rx_cqe, mana_create_rxq (mana_en.c) of 6.12 and 7.x.

import Ethernet
import MANAWire
import Memory

@safe package struct ReceiveQueue: ~Copyable {
    // SAFETY: pieces through `buffers`, checked for the bytes written; a frame is read inside its length.
    package let id: UInt32
    package var work: WorkQueue
    package var completions: CompletionQueue
    private var buffers: BufferAccess
    /// Frames that found the rings' memory gone.
    package private(set) var unreachable: UInt64 = 0
    /// Requests whose memory could not be used.
    package private(set) var malformed: UInt64 = 0

    // The completion in the making.
    private var verdict: UInt32 = 0
    private var firstRequest: UInt32 = 0
    private var heldCount = 0
    private var heldKind = Coalescing.none
    /// Length in the low half, hash in the upper.
    private var held = InlineArray<8, UInt64>(repeating: 0)

    /// - Parameter memoryKey: what pieces must carry (REGISTER_DEVICE's gpa_mkey).
    package init(
        id: UInt32,
        work: consuming RingMemory,
        completions: consuming CompletionQueue,
        memory: IOVASpace,
        memoryKey: UInt32
    ) {
        self.id = id
        self.work = WorkQueue(work)
        self.completions = completions
        buffers = BufferAccess(memory, key: memoryKey)
    }

    enum Outcome {
        case delivered
        /// No request is posted.
        case noRequest
        /// The frame is lost: too long for its buffer, or there is no way to the memory.
        case dropped
    }

    /// Writes a frame of which the bytes `gap` are left out: a tag, or nothing.
    ///
    /// - Parameters:
    ///   - verdict: dword 1 of the completion.
    ///   - most: how many frames a completion may tell of.
    @inline(__always) mutating func deliver(
        _ frame: UnsafeMutableRawPointer,
        length: Int,
        gap: Range<Int>,
        verdict: UInt32,
        hash: UInt32,
        most: Coalescing
    ) -> Outcome {
        guard work.available > 0 || work.isWaiting else { return .noRequest }
        guard work.refresh(), completions.refresh() else {
            unreachable &+= 1
            return .dropped
        }
        // Requests in remote memory may still be on their way.
        guard work.available > 0 else { return .noRequest }
        buffers.refresh()
        let control = work.header.control
        let span = control.spanBytes
        let bytes = length &- gap.count
        if control.pieceCount == 1, control.inlineBytes == 8, span <= work.available {
            let piece = work.piece(0, listOffset: control.listOffset)
            if bytes <= Int(truncatingIfNeeded: piece.length), let buffer = unsafe buffers.address(piece, .deviceWrites)
            {
                if gap.isEmpty {
                    unsafe buffer.copyMemory(from: frame, byteCount: bytes)
                } else {
                    unsafe buffer.copyMemory(from: frame, byteCount: gap.lowerBound)
                    unsafe (buffer + gap.lowerBound)
                        .copyMemory(from: frame + gap.upperBound, byteCount: length &- gap.upperBound)
                }
                hold(bytes, verdict: verdict, hash: hash, most: most)
                work.advance(span)
                return .delivered
            }
        }
        return unsafe scatter(frame, length: length, gap: gap, verdict: verdict, hash: hash, most: most)
    }

    /// A frame into several pieces, or into none because the request is not good for it.
    @inline(never) private mutating func scatter(
        _ frame: UnsafeMutableRawPointer,
        length: Int,
        gap: Range<Int>,
        verdict: UInt32,
        hash: UInt32,
        most: Coalescing
    ) -> Outcome {
        let control = work.header.control
        let span = control.spanBytes
        guard span <= min(work.available, MANA.longestReceiveBytes), control.inlineBytes == 8 else {
            if work.isWaiting(for: min(span, MANA.longestReceiveBytes)) { return .noRequest }
            // Where the next request starts is unknown.
            malformed &+= 1
            flush()
            tell(.truncated, length: 0)
            work.advance(work.available)
            return .dropped
        }
        let bytes = length - gap.count
        var written = 0
        for index in 0..<control.pieceCount where written < bytes {
            let piece = work.piece(index, listOffset: control.listOffset)
            let share = min(bytes - written, Int(piece.length))
            guard share > 0 else { continue }
            let part = MemoryPiece(address: piece.address, key: piece.key, length: UInt32(share))
            if buffers.isRemote(part, .deviceWrites) {
                var bytes = [UInt8](repeating: 0, count: share)
                unsafe bytes.withUnsafeMutableBytes {
                    guard let start = $0.baseAddress else { return }
                    // SAFETY: `share` bytes are there, and as many follow in the frame.
                    unsafe Self.copy(frame, gap: gap, from: written, to: start, share)
                }
                buffers.memory.transfers.write(part.address, bytes)
            } else if let buffer = unsafe buffers.address(part, .deviceWrites) {
                unsafe Self.copy(frame, gap: gap, from: written, to: buffer, share)
            } else {
                malformed &+= 1
                break
            }
            written += share
        }
        guard written == bytes else {
            flush()
            tell(.truncated, length: bytes)
            work.advance(span)
            return .dropped
        }
        hold(bytes, verdict: verdict, hash: hash, most: most)
        work.advance(span)
        return .delivered
    }

    /// Copies `count` bytes from `start` on of the frame without its gap.
    private static func copy(
        _ frame: UnsafeMutableRawPointer,
        gap: Range<Int>,
        from start: Int,
        to buffer: UnsafeMutableRawPointer,
        _ count: Int
    ) {
        let before = max(0, min(count, gap.lowerBound - start))
        if before > 0 { unsafe buffer.copyMemory(from: frame + start, byteCount: before) }
        guard count > before else { return }
        unsafe (buffer + before).copyMemory(from: frame + start + before + gap.count, byteCount: count - before)
    }

    // MARK: Completions

    /// Adds the frame in the request at the head to the completion in the making, and ends it if it is full.
    @inline(__always) private mutating func hold(_ bytes: Int, verdict: UInt32, hash: UInt32, most: Coalescing) {
        // A completion has one verdict for all of its frames.
        if heldCount > 0, verdict != self.verdict || most != heldKind { flush() }
        if heldCount == 0 {
            self.verdict = verdict
            heldKind = most
            firstRequest = work.headOffset
        }
        held[heldCount] = UInt64(truncatingIfNeeded: bytes) | UInt64(hash) &<< 32
        heldCount &+= 1
        if heldCount >= most.rawValue { flush() }
    }

    /// Posts the completion in the making, if there is one.
    @inline(__always) mutating func flush() {
        guard heldCount > 0 else { return }
        guard heldCount > 1 else {
            let item = held[0]
            let head = UInt64(CompletionHead(.received).raw)
            completions.post(
                [head | UInt64(verdict) &<< 32, item & 0xFFFF_FFFF, item &>> 32, 0, 0, 0, 0],
                last: firstRequest,
                queue: id,
                isSend: false
            )
            heldCount = 0
            return
        }
        flushMany()
    }

    @inline(never) private mutating func flushMany() {
        var completion = ReceiveCompletion(
            heldKind == .eight ? .receivedEight : .receivedFour,
            verdict: ReceiveVerdict(raw: verdict),
            requestOffset: firstRequest
        )
        for index in 0..<heldCount {
            completion[index] = ReceivedItem(
                length: UInt16(truncatingIfNeeded: held[index]),
                hash: UInt32(truncatingIfNeeded: held[index] >> 32)
            )
        }
        completions.post(completion.data, queue: id, isSend: false)
        heldCount = 0
    }

    /// A completion about the request at the head that brings no frame.
    private mutating func tell(_ type: CompletionType, length: Int) {
        var completion = ReceiveCompletion(type, verdict: ReceiveVerdict(raw: 0), requestOffset: work.headOffset)
        completion[0] = ReceivedItem(length: UInt16(truncatingIfNeeded: length))
        completions.post(completion.data, queue: id, isSend: false)
    }

    /// Says that nothing follows of what came before (FENCE_RQ).
    mutating func fence() {
        flush()
        completions.post(CompletionData(head: CompletionHead(.fence)), queue: id, isSend: false)
    }
}
