// A ring in memory that the device reaches by transfers alone (vfio-user's DMA_READ and DMA_WRITE).
//
// Entries that the device writes go there one by one. Of a ring that it reads, a window of a page or two is here: what lies
// between the device's head and the driver's tail, as far as it has been fetched, and never more than a page of it. Page
// after page of the ring lies in the window's two halves in turn.
//
// SAFETY: `addresses` and `pages` have `pageCount` elements; indices come from places below `byteCount`. Offsets into the
// window are below `windowBytes`, and a page begins at a multiple of its size there: all of it is inside.

import Memory

extension RingMemory {
    /// Bytes that may be here at a time, from the device's head on.
    static var mostFetched: Int { pageBytes }

    /// The bytes of the window: a ring of one page lies in one half.
    private var windowBytes: Int { min(byteCount, 2 * Self.pageBytes) }

    /// Whether all pages lie in remote memory now. Looking counts no fault.
    var liesInRemoteMemory: Bool {
        for index in 0..<pageCount where unsafe !memory.isRemote(addresses[index], length: Self.pageBytes, .both) {
            return false
        }
        return true
    }

    /// Has `load` read what was fetched.
    mutating func lookThroughWindow() {
        let start: UnsafeMutableRawPointer
        if let known = unsafe window {
            unsafe start = known
        } else {
            unsafe start = .allocate(byteCount: windowBytes, alignment: 64)
            unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: windowBytes)
            unsafe window = start
        }
        for index in 0..<pageCount { unsafe pages[index] = start + (index * Self.pageBytes) % windowBytes }
    }

    /// Begins to fetch `byteCount` bytes from `offset` on, at most to the end of the page.
    mutating func beginFetch(_ offset: Int, byteCount wanted: Int) {
        let place = offset % byteCount
        let count = min(wanted, Self.pageBytes - place % Self.pageBytes)
        let address = unsafe addresses[place / Self.pageBytes] + UInt64(place % Self.pageBytes)
        fetch = (memory.transfers.read(address, byteCount: count), place, count)
    }

    /// What became of a fetch.
    enum Fetched: Equatable {
        case nothing
        case underWay
        /// So many bytes are here now.
        case here(Int)
        /// The far end did not give them; a fault is counted.
        case refused
    }

    /// Takes what has come.
    mutating func takeFetched() -> Fetched {
        guard let (ticket, offset, count) = fetch else { return .nothing }
        let state = memory.transfers.state(ticket)
        guard state != .underWay else { return .underWay }
        memory.transfers.forget(ticket)
        fetch = nil
        guard case .finished(let bytes) = state, bytes.count == count, let window = unsafe window else {
            let address = unsafe addresses[offset / Self.pageBytes] + UInt64(offset % Self.pageBytes)
            memory.refuse(address, length: count, .deviceReads)
            return .refused
        }
        for (index, byte) in bytes.enumerated() {
            unsafe window.storeBytes(of: byte, toByteOffset: (offset + index) % windowBytes, as: UInt8.self)
        }
        return .here(count)
    }

    /// Forgets what is on its way.
    mutating func endFetch() {
        if let fetch { memory.transfers.forget(fetch.ticket) }
        fetch = nil
    }

    /// Sends an entry there. Its last 8 bytes have a message of their own: whoever carries a message out may write its
    /// bytes in any order, and the driver looks at the owner bits.
    func putRemotely(_ offset: Int, _ dwords: [UInt32]) {
        let place = offset % byteCount
        let address = unsafe addresses[place / Self.pageBytes] + UInt64(place % Self.pageBytes)
        let bytes = dwords.flatMap { dword in (0..<4).map { UInt8(truncatingIfNeeded: dword >> UInt32(8 * $0)) } }
        memory.transfers.write(address, Array(bytes.dropLast(8)))
        memory.transfers.write(address + UInt64(bytes.count - 8), Array(bytes.suffix(8)))
    }
}
