// The hardware channel: requests out of a send ring of 64-byte work requests, answers into the buffers of a receive ring.
// Source: Linux hw_channel.c (mana_hwc_post_tx_wqe, mana_hwc_rx_event_handler, mana_hwc_handle_resp) of 6.12 and 7.x.

import MANAWire
import Memory

struct HardwareChannel: ~Copyable {
    /// All of the channel's queues have this id.
    static var id: UInt32 { 0 }
    static var protectionDomain: UInt32 { 0 }
    static var memoryKey: UInt32 { 0x11 }
    static var doorbellPage: Int { 0 }
    /// Answers that may wait for a buffer or for their time: more than a driver of any depth has under way.
    private static var mostWaiting: Int { 64 }

    /// An answer on its way to the driver.
    struct Answer {
        var bytes: [UInt8]
        /// Where it goes wrong: what the completion says instead.
        var tellsBytes: Int?
        var tellsOffset: UInt32?
        var tellsQueue: UInt32?
        var due: UInt64
    }

    var completions: CompletionQueue
    var send: WorkQueue
    var receive: WorkQueue
    private var waiting: [Answer] = []
    /// What is here of a request in remote memory.
    private var remotePieces: RemotePieces
    private(set) var malformed: UInt64 = 0
    private(set) var lost: UInt64 = 0

    init(
        completions: consuming CompletionQueue,
        send: consuming RingMemory,
        receive: consuming RingMemory,
        _ memory: IOVASpace
    ) {
        remotePieces = RemotePieces(memory)
        self.completions = completions
        self.send = WorkQueue(send)
        self.receive = WorkQueue(receive)
    }

    /// Whether there are requests to take or answers to send.
    var hasWork: Bool { send.available > 0 || send.isWaiting || !waiting.isEmpty }

    /// Fetches of requests that the far end of remote memory refused.
    var refusedFetches: UInt64 { send.refusedFetches &+ receive.refusedFetches }

    /// The next request that the driver has posted; nil: there is none. What is none is counted and passed over.
    mutating func takeRequest(_ memory: IOVASpace) -> [UInt8]? {
        while send.available > 0 || send.isWaiting {
            guard send.refresh(), send.available > 0 else { return nil }
            let control = send.header.control
            let span = control.spanBytes
            guard span <= send.available, span <= MANA.longestSendBytes else {
                if send.isWaiting(for: min(span, MANA.longestSendBytes)) { return nil }
                // Where the next one starts is unknown: none of what was rung for can be taken.
                send.advance(send.available)
                malformed &+= 1
                return nil
            }
            let message: [UInt8]?
            switch read(control, memory) {
            case .here(let bytes): message = bytes
            case .refused: message = nil
            case .onItsWay: return nil
            }
            let offset = send.headOffset
            send.advance(span)
            completions.post(
                SendCompletion(.init(rawValue: 0), requestOffset: offset).data,
                queue: Self.id,
                isSend: true
            )
            if let message { return message }
            malformed &+= 1
        }
        return nil
    }

    /// The message of the request at the head; refused where it is none.
    private mutating func read(_ control: WorkRequestControl, _ memory: IOVASpace) -> RemotePieces.Content {
        guard control.pieceCount == 1, control.inlineBytes == ChannelOutOfBand.byteCount else { return .refused }
        let piece = send.piece(0, listOffset: control.listOffset)
        guard piece.key == Self.memoryKey, piece.length <= MANA.messageBytes,
            piece.length >= AnyRequest.byteCount
        else { return .refused }
        if memory.isRemote(piece.address, length: Int(piece.length), .deviceReads) {
            let content = remotePieces.bytes(piece.address, count: Int(piece.length), for: send.head)
            if case .here = content { remotePieces.removeAll() }
            return content
        }
        var bytes = [UInt8](repeating: 0, count: Int(piece.length))
        var span = bytes.mutableSpan
        // SAFETY: any bits are a valid UInt8.
        var raw = unsafe span.mutableBytes
        return memory.read(piece.address, into: &raw) ? .here(bytes) : .refused
    }

    mutating func countLost() { lost &+= 1 }

    /// Sends an answer when it is due and there is a buffer.
    mutating func answer(_ answer: Answer) {
        guard waiting.count < Self.mostWaiting else { return countLost() }
        waiting.append(answer)
    }

    /// When the next answer is due; nil: none is held back. One that waits for a buffer waits for the driver.
    func nextDeadline(after now: UInt64) -> UInt64? { waiting.lazy.map(\.due).filter { $0 > now }.min() }

    /// Writes the answers that are due into buffers that the driver has posted.
    mutating func deliver(_ now: UInt64, _ memory: IOVASpace) {
        while let place = waiting.firstIndex(where: { $0.due <= now }), receive.available > 0 || receive.isWaiting,
            receive.refresh(), receive.available > 0
        {
            let control = receive.header.control
            let span = control.spanBytes
            guard span <= receive.available else {
                if receive.isWaiting(for: min(span, MANA.longestReceiveBytes)) { return }
                return receive.advance(receive.available)
            }
            let piece = receive.piece(0, listOffset: control.listOffset)
            let offset = receive.headOffset
            receive.advance(span)
            let answer = waiting.remove(at: place)
            guard control.pieceCount == 1, piece.key == Self.memoryKey, answer.bytes.count <= piece.length,
                Self.write(answer.bytes, piece.address, memory)
            else {
                lost &+= 1
                continue
            }
            completions.post(
                ChannelCompletion(
                    requestOffset: answer.tellsOffset ?? offset,
                    messageBytes: UInt32(truncatingIfNeeded: answer.tellsBytes ?? answer.bytes.count)
                ).data,
                queue: answer.tellsQueue ?? Self.id,
                isSend: false
            )
        }
    }

    /// Whether an answer could be written.
    private static func write(_ bytes: [UInt8], _ address: UInt64, _ memory: IOVASpace) -> Bool {
        if memory.isRemote(address, length: bytes.count, .deviceWrites) {
            memory.transfers.write(address, bytes)
            return true
        }
        // SAFETY: any byte is a valid UInt8.
        return unsafe memory.write(address, from: bytes.span.bytes)
    }
}
