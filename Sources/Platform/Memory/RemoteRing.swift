// A descriptor ring in remote memory, as a device works on it: a copy that is filled as the driver hands descriptors over,
// the buffers that they name, and what has to go back.
//
//   tail ─► fetch descriptors ─► the device meets one ─► fetch its buffer ─► it works ─► write buffers, then descriptors

/// The device's copy of a ring of 16-byte descriptors, and of buffers for what it works on. One owner.
@safe public struct RemoteRing: ~Copyable {
    // SAFETY: `copy` holds `count` descriptors; indices are below `count`. A buffer's memory is kept in place until
    // `endBurst`, which is when a device gives up the addresses that it got.
    private let memory: IOVASpace
    private let iova: UInt64
    private let count: Int
    private let copy: UnsafeMutableRawPointer
    /// Descriptors before this one, from the device's head on, are here.
    private var present: Int
    private var fetch: (ticket: UInt64, upTo: Int)?
    private var buffers: [Buffer] = []
    /// Descriptors before this one have gone back.
    private var returned: Int
    /// The far end did not give descriptors that it had lent. Nothing more is done until the ring is programmed anew.
    public private(set) var isBroken = false

    // SAFETY: `memory` is freed by whoever takes the buffer out of `buffers`.
    @safe private struct Buffer {
        let iova: UInt64
        let memory: UnsafeMutableRawBufferPointer
        /// The read that fills it; 0 once it is filled, or where the device writes.
        var ticket: UInt64
        let isWrite: Bool
    }

    private static var descriptorBytes: Int { 16 }

    /// A ring that lies in remote memory as a whole, and whose next descriptor is `head`; nil if it does not.
    public init?(_ memory: IOVASpace, iova: UInt64, count: Int, head: Int) {
        guard count > 0, head >= 0, head < count,
            memory.isRemote(iova, length: count * Self.descriptorBytes, .both)
        else { return nil }
        self.memory = memory
        self.iova = iova
        self.count = count
        unsafe copy = .allocate(byteCount: count * Self.descriptorBytes, alignment: 16)
        unsafe copy.initializeMemory(as: UInt8.self, repeating: 0, count: count * Self.descriptorBytes)
        present = head
        returned = head
    }

    deinit {
        if let fetch { memory.transfers.forget(fetch.ticket) }
        for index in buffers.indices {
            let buffer = buffers[index]
            if buffer.ticket != 0 { memory.transfers.forget(buffer.ticket) }
            unsafe buffer.memory.deallocate()
        }
        unsafe copy.deallocate()
    }

    /// The descriptors.
    ///
    /// SAFETY: good as long as this value; those between the device's head and `tail(_:head:)` are the driver's.
    @unsafe public var base: UnsafeMutableRawPointer { unsafe copy }

    /// Up to where the device may work, given the tail that the driver rang. Fetches what is missing.
    public mutating func tail(_ wanted: Int, head: Int) -> Int {
        takeFetched()
        guard !isBroken else { return head }
        if distance(head, wanted) <= distance(head, present) { return wanted }
        if fetch == nil {
            // One stretch at a time: what lies behind the ring's end comes next.
            let end = wanted > present ? wanted : count
            let ticket = memory.transfers.read(
                iova &+ UInt64(present * Self.descriptorBytes),
                byteCount: (end - present) * Self.descriptorBytes
            )
            fetch = (ticket, end == count ? 0 : end)
        }
        return present
    }

    private func distance(_ from: Int, _ to: Int) -> Int { to >= from ? to - from : to - from + count }

    private mutating func takeFetched() {
        guard let (ticket, upTo) = fetch else { return }
        switch memory.transfers.state(ticket) {
        case .underWay: return
        case .failed:
            isBroken = true
            memory.refuse(iova, length: count * Self.descriptorBytes, .deviceReads)
        case .finished(let bytes):
            let room = ((upTo == 0 ? count : upTo) - present) * Self.descriptorBytes
            if bytes.count == room {
                unsafe bytes.withUnsafeBytes { source in
                    guard let start = source.baseAddress else { return }
                    unsafe (copy + present * Self.descriptorBytes).copyMemory(from: start, byteCount: room)
                }
                present = upTo
            } else {
                isBroken = true
            }
        }
        memory.transfers.forget(ticket)
        fetch = nil
    }

    /// The copy of a buffer; nil while it is on its way, to be asked for again in a later burst.
    ///
    /// SAFETY: good until `endBurst`. A buffer to write to must be written in whole.
    @unsafe public mutating func buffer(
        _ iova: UInt64,
        _ length: Int,
        _ access: DMAPermissions
    ) throws(DMAFault) -> UnsafeMutableRawPointer? {
        let isWrite = access == .deviceWrites
        if !isWrite, let index = firstBuffer(iova, length) { return unsafe try fetched(index) }
        guard length > 0, memory.isRemote(iova, length: length, access) else {
            throw memory.refuse(iova, length: length, access)
        }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 16)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
        let ticket = isWrite ? 0 : memory.transfers.read(iova, byteCount: length)
        unsafe buffers.append(Buffer(iova: iova, memory: bytes, ticket: ticket, isWrite: isWrite))
        return isWrite ? bytes.baseAddress : nil
    }

    private func firstBuffer(_ iova: UInt64, _ length: Int) -> Int? {
        buffers.firstIndex { unsafe !$0.isWrite && $0.iova == iova && $0.memory.count == length }
    }

    /// The memory of a buffer that was asked for; nil while it is on its way.
    @unsafe private mutating func fetched(_ index: Int) throws(DMAFault) -> UnsafeMutableRawPointer? {
        let buffer = buffers[index]
        guard buffer.ticket != 0 else { return unsafe buffer.memory.baseAddress }
        let state = memory.transfers.state(buffer.ticket)
        guard state != .underWay else { return nil }
        memory.transfers.forget(buffer.ticket)
        guard case .finished(let bytes) = state, unsafe bytes.count == buffer.memory.count else {
            buffers.remove(at: index)
            unsafe buffer.memory.deallocate()
            throw unsafe memory.refuse(buffer.iova, length: buffer.memory.count, .deviceReads)
        }
        unsafe buffer.memory.copyBytes(from: bytes)
        buffers[index].ticket = 0
        return unsafe buffer.memory.baseAddress
    }

    /// The device has worked up to `head`: buffers that it wrote go back, then the descriptors. Buffers of a frame that
    /// it has not begun, or not ended, stay.
    public mutating func endBurst(head: Int) {
        let hasAdvanced = head != returned
        var kept: [Buffer] = []
        for index in buffers.indices {
            let buffer = buffers[index]
            if buffer.isWrite {
                unsafe memory.transfers.write(buffer.iova, Array(buffer.memory))
            } else if !hasAdvanced || buffer.ticket != 0 {
                kept.append(buffer)
                continue
            }
            unsafe buffer.memory.deallocate()
        }
        buffers = kept
        while returned != head {
            let end = head > returned ? head : count
            let bytes = unsafe UnsafeRawBufferPointer(
                start: copy + returned * Self.descriptorBytes,
                count: (end - returned) * Self.descriptorBytes
            )
            memory.transfers.write(iova &+ UInt64(returned * Self.descriptorBytes), unsafe Array(bytes))
            returned = end == count ? 0 : end
        }
    }
}
