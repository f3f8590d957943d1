// The ring side of a queue, transmit or receive: where its descriptors are, how far the device is, and the way to the
// buffers. What a driver programs may be false; what was looked up holds until the memory map changes.

import Memory
import Rings

/// A descriptor ring as the device walks it, and a cached window to buffers.
@safe struct HardwareQueue: ~Copyable {
    // SAFETY: `ring` and `window` point into the IOVA space at `generation`; `refresh` forgets them when it has changed,
    // and within a burst it cannot, because mapping, unmapping and bursts share the owner's thread.
    private let memory: IOVASpace
    private var base: UInt64 = 0
    private(set) var count = 0
    private(set) var isEnabled = false
    /// The next descriptor of the device: RDH or TDH.
    var head = 0

    private var ring: DescriptorRing16?
    private(set) var window: IOVAWindow?
    /// The ring's copy here, if the ring lies in remote memory.
    private var remote: RemoteRing?
    /// The ring's pages side by side, if they are scattered.
    private var joined: JoinedMemory?
    private var generation: UInt64 = 0
    private var rejectedTail: UInt32?

    private(set) var badTails: UInt64 = 0
    private(set) var unreachableRings: UInt64 = 0

    init(_ memory: IOVASpace) { self.memory = memory }

    /// Takes over what the registers say. All that was looked up is forgotten.
    mutating func program(base: UInt64, byteCount: UInt32, isEnabled: Bool) {
        self.base = base
        self.count = Int(byteCount) / 16
        self.isEnabled = isEnabled
        forget()
        rejectedTail = nil
    }

    private mutating func forget() {
        ring = nil
        unsafe window = nil
        remote = nil
        joined = nil
        generation = 0
    }

    /// The ring, if the queue is enabled and all of it can be reached. A ring that cannot be is counted once, and tried
    /// again when it is programmed or the memory map has changed.
    mutating func refresh() -> DescriptorRing16? {
        guard isEnabled, count > 0, head < count else { return nil }
        guard generation != memory.generation else { return ring }
        forget()
        generation = memory.generation
        if let copy = RemoteRing(memory, iova: base, count: count, head: head) {
            ring = unsafe DescriptorRing16(base: copy.base, count: count)
            remote = consume copy
            return ring
        }
        if let pages = JoinedMemory(memory, iova: base, length: count * 16, .both), base % 16 == 0 {
            ring = unsafe DescriptorRing16(base: pages.base, count: count)
            joined = consume pages
            return ring
        }
        // The device reads and writes descriptors as pairs of 64-bit words; memory lent at an odd place cannot hold them.
        guard let start = unsafe memory.address(base, length: count * 16, .both),
            Int(bitPattern: start) % 16 == 0
        else {
            unreachableRings &+= 1
            return nil
        }
        ring = unsafe DescriptorRing16(base: start, count: count)
        return ring
    }

    /// The tail that a doorbell holds; nil, and counted once per value, where it lies beyond the ring.
    mutating func tail(_ doorbell: UInt32) -> Int? {
        let value = doorbell & 0xFFFF
        if value < count { return remote?.tail(Int(value), head: head) ?? Int(value) }
        if rejectedTail != doorbell {
            rejectedTail = doorbell
            badTails &+= 1
        }
        return nil
    }

    /// The descriptor after `index`.
    func next(_ index: Int) -> Int { index &+ 1 == count ? 0 : index &+ 1 }

    /// Descriptors from `head` up to `tail`.
    func available(_ tail: Int) -> Int { tail >= head ? tail &- head : tail &- head &+ count }

    /// The buffer that was asked for last is on its way from remote memory: to be tried again in a later burst.
    private(set) var isWaiting = false

    /// What the burst wrote to copies of remote memory goes there.
    mutating func endBurst() { remote?.endBurst(head: head) }

    /// The memory of a buffer; nil where the device may not go, and where `isWaiting` says so.
    ///
    /// SAFETY: good for `length` bytes within the burst that `refresh` began. The peer may change the bytes at any time.
    @unsafe @inline(__always) mutating func address(
        _ iova: UInt64,
        _ length: Int,
        _ access: DMAPermissions
    ) -> UnsafeMutableRawPointer? {
        if let known = unsafe window?.address(iova, length: length, access) { return unsafe known }
        return unsafe lookUp(iova, length, access)
    }

    @unsafe @inline(never) private mutating func lookUp(
        _ iova: UInt64,
        _ length: Int,
        _ access: DMAPermissions
    ) -> UnsafeMutableRawPointer? {
        if remote != nil, memory.isRemote(iova, length: length, access) {
            isWaiting = false
            do throws(DMAFault) {
                let copy = unsafe try remote?.buffer(iova, length, access)
                isWaiting = unsafe copy == nil
                return unsafe copy
            } catch {
                return nil
            }
        }
        unsafe window = memory.window(iova, length: length, access)
        return unsafe window?.address(iova, length: length, access)
    }
}
