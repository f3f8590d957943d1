// The pieces of a request that lie in remote memory: asked for all at once, and waited for in later bursts.

import MANAWire
import Memory

/// What is on its way, or here, for the request at the head of a queue.
struct RemotePieces: ~Copyable {
    private struct Piece {
        let address: UInt64
        let byteCount: Int
        /// The read that brings it; nil once it is here.
        var ticket: UInt64?
        var bytes: [UInt8]
    }

    private let memory: IOVASpace
    private var pieces: [Piece] = []
    private var request: UInt32 = 0

    init(_ memory: IOVASpace) { self.memory = memory }

    deinit {
        for piece in pieces { if let ticket = piece.ticket { memory.transfers.forget(ticket) } }
    }

    enum Content {
        case here([UInt8])
        /// To be asked for again.
        case onItsWay
        /// The far end does not give it; a fault is counted.
        case refused
    }

    /// The bytes at an address in remote memory.
    ///
    /// - Parameter request: where in its ring the request is: what came for another one is forgotten.
    mutating func bytes(_ address: UInt64, count: Int, for request: UInt32) -> Content {
        if request != self.request { removeAll() }
        self.request = request
        guard let index = pieces.firstIndex(where: { $0.address == address && $0.byteCount == count }) else {
            let ticket = memory.transfers.read(address, byteCount: count)
            pieces.append(Piece(address: address, byteCount: count, ticket: ticket, bytes: []))
            return .onItsWay
        }
        guard let ticket = pieces[index].ticket else { return .here(pieces[index].bytes) }
        let state = memory.transfers.state(ticket)
        guard state != .underWay else { return .onItsWay }
        memory.transfers.forget(ticket)
        pieces[index].ticket = nil
        guard case .finished(let bytes) = state, bytes.count == count else {
            pieces.remove(at: index)
            memory.refuse(address, length: count, .deviceReads)
            return .refused
        }
        pieces[index].bytes = bytes
        return .here(bytes)
    }

    /// The request is done with.
    mutating func removeAll() {
        for piece in pieces { if let ticket = piece.ticket { memory.transfers.forget(ticket) } }
        pieces = []
    }
}
