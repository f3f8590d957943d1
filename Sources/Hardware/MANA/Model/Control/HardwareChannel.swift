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
    private(set) var malformed: UInt64 = 0
    private(set) var lost: UInt64 = 0

    init(completions: consuming CompletionQueue, send: consuming RingMemory, receive: consuming RingMemory) {
        self.completions = completions
        self.send = WorkQueue(send)
        self.receive = WorkQueue(receive)
    }

    /// Whether there are requests to take or answers to send.
    var hasWork: Bool { send.available > 0 || !waiting.isEmpty }

    /// The next request that the driver has posted; nil: there is none. What is none is counted and passed over.
    mutating func takeRequest(_ memory: IOVASpace) -> [UInt8]? {
        while send.available > 0 {
            guard send.ring.refresh() else { return nil }
            let control = send.header.control
            let span = control.spanBytes
            guard span <= send.available, span <= MANA.longestSendBytes else {
                // Where the next one starts is unknown: none of what was rung for can be taken.
                send.advance(send.available)
                malformed &+= 1
                return nil
            }
            let message = read(control, memory)
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

    private func read(_ control: WorkRequestControl, _ memory: IOVASpace) -> [UInt8]? {
        guard control.pieceCount == 1, control.inlineBytes == ChannelOutOfBand.byteCount else { return nil }
        let piece = send.piece(0, listOffset: control.listOffset)
        guard piece.key == Self.memoryKey, piece.length <= MANA.messageBytes,
            piece.length >= AnyRequest.byteCount
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(piece.length))
        var span = bytes.mutableSpan
        // SAFETY: any bits are a valid UInt8.
        var raw = unsafe span.mutableBytes
        return memory.read(piece.address, into: &raw) ? bytes : nil
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
        while let place = waiting.firstIndex(where: { $0.due <= now }), receive.available > 0, receive.ring.refresh() {
            let control = receive.header.control
            let span = control.spanBytes
            guard span <= receive.available else { return receive.advance(receive.available) }
            let piece = receive.piece(0, listOffset: control.listOffset)
            let offset = receive.headOffset
            receive.advance(span)
            let answer = waiting.remove(at: place)
            // SAFETY: any byte is a valid UInt8.
            guard control.pieceCount == 1, piece.key == Self.memoryKey, answer.bytes.count <= piece.length,
                unsafe memory.write(piece.address, from: answer.bytes.span.bytes)
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
}
