// The pieces of a frame into one place: straight from memory that is shared, or as they come from memory that is not.

import MANAWire
import Memory

extension SendQueue {
    /// Copies the pieces to `destination`, which has room for `total` bytes. Nil where that is done; else what becomes of
    /// the request: refused where the pieces are not what they were when measured, or not all can be reached, and held while
    /// some are on their way.
    @inline(__always) mutating func gather(
        _ control: WorkRequestControl,
        into destination: UnsafeMutableRawPointer,
        total: Int,
        _ progress: inout Progress
    ) -> Step? {
        let listOffset = control.listOffset
        var filled = 0
        for index in 0..<control.pieceCount {
            let piece = work.piece(index, listOffset: listOffset)
            let length = Int(truncatingIfNeeded: piece.length)
            // DPDK's "no memory" has an address where nothing is.
            guard length > 0 else { continue }
            guard length <= total &- filled else { return .refused(.memory) }
            guard let source = unsafe buffers.address(piece, .deviceReads) else {
                guard buffers.isRemote(piece, .deviceReads) else { return .refused(.memory) }
                return unsafe gatherRemotely(control, into: destination, total: total, &progress)
            }
            unsafe (destination + filled).copyMemory(from: source, byteCount: length)
            filled &+= length
        }
        return filled == total ? nil : .refused(.memory)
    }

    /// See `gather`. All pieces are asked for before any is waited for.
    @inline(never) private mutating func gatherRemotely(
        _ control: WorkRequestControl,
        into destination: UnsafeMutableRawPointer,
        total: Int,
        _ progress: inout Progress
    ) -> Step? {
        var filled = 0
        var isWaiting = false
        for index in 0..<control.pieceCount {
            let piece = work.piece(index, listOffset: control.listOffset)
            let length = Int(piece.length)
            guard length > 0 else { continue }
            guard length <= total - filled else { return refuseMemory() }
            if buffers.isRemote(piece, .deviceReads) {
                switch remotePieces.bytes(piece.address, count: length, for: work.head) {
                case .here(let bytes):
                    unsafe bytes.withUnsafeBytes {
                        // SAFETY: `length` bytes, which fit behind what is filled.
                        unsafe UnsafeMutableRawBufferPointer(start: destination + filled, count: length)
                            .copyMemory(from: $0)
                    }
                case .onItsWay: isWaiting = true
                case .refused: return refuseMemory()
                }
            } else {
                guard let source = unsafe buffers.address(piece, .deviceReads) else { return refuseMemory() }
                unsafe (destination + filled).copyMemory(from: source, byteCount: length)
            }
            filled += length
        }
        guard filled == total else { return refuseMemory() }
        guard !isWaiting else {
            progress.isWaiting = true
            return .held
        }
        remotePieces.removeAll()
        return nil
    }

    private mutating func refuseMemory() -> Step {
        remotePieces.removeAll()
        return .refused(.memory)
    }
}
