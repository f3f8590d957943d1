// Chunks for the card to receive into, and frames on their way to the program. As `xp_alloc` and `__xsk_rcv_zc` in
// net/xdp (Linux 6.12): chunk addresses are cut down to the chunk's start, those outside the umem are counted.
//
// SAFETY (all uses of `unsafe`): rings and umem stay mapped as long as the socket, which this end keeps; addresses
// are checked against the umem, and indices are below the bursts' 32.

extension XSKPool {
    /// Takes chunks to receive into: recycled ones first, then the fill ring's.
    ///
    /// - Parameters:
    ///   - addresses: filled from index 0 with the chunks' first bytes; the card writes `umem.receiveOffset` behind them.
    ///   - limit: how many are wanted, at most 32.
    /// - Returns: how many of `addresses` are valid. Fewer than wanted does not mean that the ring is empty: each
    ///   invalid entry takes the place of one.
    @inlinable public mutating func takeFill(_ addresses: inout InlineArray<32, UInt64>, limit: Int) -> Int {
        guard limit > 0 else { return 0 }
        let wanted = min(limit, 32)
        var count = 0
        while count < wanted, recycledCount > 0 {
            recycledCount &-= 1
            // SAFETY: the index is below the count that was pushed.
            addresses[count] = unsafe recycled[recycledCount]
            count &+= 1
        }
        if count < wanted {
            let available = fill.available(UInt32(truncatingIfNeeded: wanted &- count))
            let ring = fill.ring
            let view = self.view
            let start = fill.position
            var passed: UInt32 = 0
            while passed < available {
                let chunk = ring.address(start &+ passed) & ~view.chunkMask
                passed &+= 1
                guard chunk < view.byteCount else {
                    counters.add(.receiveInvalidDescriptors)
                    continue
                }
                addresses[count] = chunk
                count &+= 1
            }
            if passed != 0 { fill.release(passed) } else { counters.add(.fillRingEmpty) }
        }
        chunksHeld &+= count
        return count
    }

    /// Puts a received frame into the Rx ring, for the next `publishReceived`.
    ///
    /// - Parameters:
    ///   - address: the frame's first byte, in a chunk from `takeFill`.
    ///   - length: bytes.
    /// - Returns: false if the program has left no room: the frame is dropped, and its chunk recycled.
    @inlinable public mutating func deliver(
        address: UInt64,
        length: UInt32,
        options: XSKDescriptorOptions = []
    ) -> Bool {
        guard receive.room(1) == 1 else {
            counters.add(.receiveRingFull)
            recycle(address)
            return false
        }
        receive.reserve(1)
        receive.put(address, length: length, options: options.rawValue)
        chunksHeld &-= 1
        return true
    }

    /// Takes a chunk back without a frame, to hand it out again first. `address` is anywhere in it.
    @inlinable public mutating func recycle(_ address: UInt64) {
        chunksHeld &-= 1
        // Only a program that lent one chunk several times gets here with a full pile: the copy is dropped.
        guard recycledCount < recycledCapacity else { return }
        unsafe recycled[recycledCount] = address & ~view.chunkMask
        recycledCount &+= 1
    }

    /// Counts a received frame that the driver dropped for a reason of its own, and recycles its chunk.
    @inlinable public mutating func drop(_ address: UInt64) {
        counters.add(.receiveDropped)
        recycle(address)
    }

    /// Shows the program what was delivered. Once per burst.
    @inlinable public mutating func publishReceived() {
        receive.publish()
    }
}
