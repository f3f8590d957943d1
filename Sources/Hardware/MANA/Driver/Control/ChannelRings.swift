// The rings of the hardware channel: four, a page each, and a page for the message in each direction.
// Source: mana_hwc_init_queues, mana_hwc_post_tx_wqe, mana_hwc_post_rx_wqe (hw_channel.c of Linux 6.12 and 7.x).

import Backing
import MANAWire
import Memory
import Registers

/// Memory of the channel and how far each of its rings is. One request is in flight at a time.
struct ChannelRings: ~Copyable {
    private enum Page: Int {
        case events, completions, receive, send, request, response
    }

    var events: EventRing
    var completions: CompletionRing
    private var receive: WorkRing
    private var send: WorkRing
    // After the rings over it.
    private let memory: DMABuffer

    init(_ memory: consuming DMABuffer) {
        precondition(memory.byteCount >= 6 * MANA.pageBytes, "six pages")
        // SAFETY: the rings live in `memory`, which ends after them; a page each.
        unsafe events = EventRing(base: memory.base, byteCount: MANA.pageBytes)
        unsafe completions = CompletionRing(
            base: memory.base + MANA.pageBytes,
            entryCount: MANA.pageBytes / MANA.completionBytes
        )
        unsafe receive = WorkRing(base: memory.base + 2 * MANA.pageBytes, byteCount: MANA.pageBytes)
        unsafe send = WorkRing(base: memory.base + 3 * MANA.pageBytes, byteCount: MANA.pageBytes)
        self.memory = memory
    }

    static func allocate(_ backing: some PCIeBacking) throws(DeviceError) -> ChannelRings {
        let memory = try backing.allocateDMA(byteCount: 6 * MANA.pageBytes, .both, purpose: "mana-hwc")
        guard memory.iova % UInt64(MANA.pageBytes) == 0, memory.iova >> 63 == 0 else {
            throw DeviceError(
                .invalidArgument,
                device: backing.name,
                operation: "allocate channel",
                "memory at \(hex(memory.iova)), expected whole pages"
            )
        }
        return ChannelRings(memory)
    }

    private func iova(_ page: Page) -> UInt64 { memory.iova + UInt64(page.rawValue * MANA.pageBytes) }

    /// What the card is told in the shared-memory window.
    var setup: ChannelSetup {
        ChannelSetup(
            eventFrame: iova(.events) >> 12,
            completionFrame: iova(.completions) >> 12,
            receiveFrame: iova(.receive) >> 12,
            sendFrame: iova(.send) >> 12,
            vector: UInt16(MANA.channelVector)
        )
    }

    /// Gives the card the room for the next response; what the receive doorbell is told.
    mutating func postReceive(memoryKey: UInt32) -> UInt32 {
        let piece = MemoryPiece(address: iova(.response), key: memoryKey, length: UInt32(MANA.messageBytes))
        let control = WorkRequestControl(pieceCount: 1, inlineBytes: TransmitOutOfBand.shortBytes)
        receive.store(receive.head, UInt64(control.raw) << 32, 0, piece.low, piece.high)
        receive.head &+= 1
        return receive.tail
    }

    /// Where in its ring the one request for a response is.
    var expectedReceiveOffset: UInt32 { (receive.head &- 1) &* 32 & UInt32(MANA.pageBytes - 1) }

    /// Puts a message into the request page and a work request for it into the ring; what the send doorbell is told.
    mutating func postSend(
        _ message: ArraySlice<UInt8>,
        _ outOfBand: ChannelOutOfBand,
        memoryKey: UInt32
    ) -> UInt32 {
        precondition(message.count <= MANA.messageBytes, "a message has a page at most")
        unsafe message.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            // SAFETY: the page holds every message.
            unsafe (memory.base + Page.request.rawValue * MANA.pageBytes)
                .copyMemory(from: start, byteCount: bytes.count)
        }
        let piece = MemoryPiece(address: iova(.request), key: memoryKey, length: UInt32(message.count))
        let control = WorkRequestControl(pieceCount: 1, inlineBytes: ChannelOutOfBand.byteCount)
        let words = outOfBand.words
        func quad(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }
        send.store(
            send.head,
            UInt64(control.raw) << 32,
            quad(words[0], words[1]),
            quad(words[2], words[3]),
            quad(words[4], words[5])
        )
        send.store(send.head &+ 1, piece.low, piece.high, 0, 0)
        send.head &+= 2
        return send.tail
    }

    /// A copy of the first `byteCount` bytes, at most a page, of the response. The card may write there again at any time.
    func response(byteCount: Int) -> [UInt8] {
        let count = max(0, min(byteCount, MANA.messageBytes))
        // SAFETY: inside the page.
        return unsafe [UInt8](
            UnsafeRawBufferPointer(start: memory.base + Page.response.rawValue * MANA.pageBytes, count: count)
        )
    }
}
