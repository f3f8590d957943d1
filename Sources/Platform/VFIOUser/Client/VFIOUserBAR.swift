// A BAR at the other end of a socket: registers by message, or as memory where the server lends it.

import CLinux
import PCIe
import Registers

/// A view of a BAR of a vfio-user device. Accesses outside the BAR, or at odd addresses, read all ones and write nothing.
///
/// A store waits for its reply, so it keeps the word of `RegisterAccess.store`: when it returns, the device has acted on
/// it. Posted writes would be in order with all other commands of the socket, but not with what passes it by: a doorbell
/// that is rung in shared memory would be ahead of the store that set up its queue, and an eventfd or a buffer would show
/// the device's state before a store that should have ended it. So a store costs a round trip; stores that belong together
/// cost one, inside `together`. `VFIOUserOptions.postsStores` is for drivers that were written for PCIe's rule, by which
/// only a load has a store arrive; doorbells are then messages too.
public struct VFIOUserBAR: RegisterAccess, Sendable {
    let function: RemoteFunction
    let region: UInt32
    let byteCount: UInt64
    let areas: MappedAreas?
    let doorbells: DoorbellWindow?

    public func load(_ offset: UInt32) -> UInt32 {
        guard let address = unsafe memory(at: offset) else {
            guard isInside(offset) else { return ~0 }
            return UInt32(truncatingIfNeeded: function.load(region, UInt64(offset), byteCount: 4))
        }
        guard function.presence.isAnswering else { return ~0 }
        // SAFETY: an aligned word of a mapping that the view keeps.
        return unsafe clinux_load_register(address)
    }

    public func store(_ offset: UInt32, _ value: UInt32) {
        guard let address = unsafe memory(at: offset) else {
            if isInside(offset) { function.store(region, UInt64(offset), byteCount: 4, UInt64(value)) }
            return
        }
        guard function.presence.isAnswering else { return }
        // SAFETY: as above.
        unsafe clinux_store_register(address, value)
    }

    public func storeWide(_ offset: UInt32, _ value: UInt64) {
        guard offset & 7 == 0 else { return }
        guard let address = unsafe memory(at: offset), unsafe memory(at: offset &+ 4) != nil else {
            if isInside(offset &+ 4) { function.store(region, UInt64(offset), byteCount: 8, value) }
            return
        }
        guard function.presence.isAnswering else { return }
        // SAFETY: as above, both words of it.
        unsafe clinux_store_wide_register(address, value)
    }

    public func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        guard let size = AccessSize(rawValue: byteCount), isInside(offset, size) else { return ~0 }
        guard let address = unsafe memory(at: offset, size) else {
            return function.load(region, offset, byteCount: byteCount)
        }
        guard function.presence.isAnswering else { return size.allOnes }
        // SAFETY: `byteCount` aligned bytes of a mapping that the view keeps.
        return unsafe clinux_load_sized_register(address, Int32(byteCount))
    }

    public func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        guard let size = AccessSize(rawValue: byteCount), isInside(offset, size) else { return }
        guard let address = unsafe memory(at: offset, size) else {
            return function.store(region, offset, byteCount: byteCount, value)
        }
        guard function.presence.isAnswering else { return }
        // SAFETY: as above.
        unsafe clinux_store_sized_register(address, value, Int32(byteCount))
    }

    /// One round trip for all stores of `body`, and one for each of its loads.
    public func together<Result>(_ body: () -> Result) -> Result { function.together(body) }

    public func doorbell(at offset: UInt32) -> DoorbellRegister? { doorbells?.register(at: offset) }

    /// Where the register is memory. Stores that were collected go first.
    @unsafe private func memory(at offset: UInt32) -> UnsafeMutableRawPointer? {
        guard let areas, let address = unsafe areas.address(offset) else { return nil }
        if function.presence.hasUnsentWrites { function.settleWrites() }
        return unsafe address
    }

    /// Where `size` bytes at an offset that is a multiple of it are memory: an area holds whole pages.
    @unsafe private func memory(at offset: UInt64, _ size: AccessSize) -> UnsafeMutableRawPointer? {
        guard let place = UInt32(exactly: offset), let address = unsafe memory(at: place & ~3) else { return nil }
        return unsafe address + Int(place & 3)
    }

    private func isInside(_ offset: UInt64, _ size: AccessSize) -> Bool {
        size.isAligned(offset) && byteCount >= UInt64(size.rawValue) && offset <= byteCount - UInt64(size.rawValue)
    }

    private func isInside(_ offset: UInt32) -> Bool { offset % 4 == 0 && UInt64(offset) + 4 <= byteCount }
}
