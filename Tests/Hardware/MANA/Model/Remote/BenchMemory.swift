// A bench's memory: pages, each with a mapping of its own, neighbours of the device no neighbours here. Lent as it is, or as
// memory that the device reaches by transfers, which end when the bench says so.
//
// SAFETY: the arena is there from `init` to `deinit`; every place is inside it.

import Memory
import Testing

@safe final class BenchMemory {
    let space: IOVASpace
    let way = MemoryWay.current
    private let arena: UnsafeMutableRawPointer
    private let byteCount: Int
    private static let firstAddress: UInt64 = 0x10_0000
    private var freePages: [UInt64] = []
    /// Transfers that are carried out, and of those the ones that read.
    private(set) var transferCount = 0
    private(set) var readCount = 0
    /// The far end refuses to have anything read.
    var refusesReads = false
    /// Called when writes have ended: messages may have waited for them.
    var onWritten: () -> Void = {}

    init(_ space: IOVASpace, byteCount: Int) throws {
        self.space = space
        self.byteCount = byteCount
        unsafe arena = .allocate(byteCount: byteCount, alignment: 4096)
        unsafe arena.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        for index in 0..<byteCount / 4096 {
            let iova = Self.firstAddress + UInt64(index) * 4096
            try map(iova)
            freePages.append(iova)
        }
    }

    deinit { unsafe arena.deallocate() }

    /// From both ends in turn: a ring's pages are never side by side.
    func takePage() -> UInt64 { freePages.count % 2 == 0 ? freePages.removeFirst() : freePages.removeLast() }

    private var buffers: [UInt64] = []

    func takeBuffer() -> UInt64 {
        buffers.append(takePage())
        return buffers[buffers.count - 1]
    }

    /// The buffers that were taken may be taken again.
    func reuseBuffers() {
        freePages += buffers
        buffers = []
    }

    /// Where in the arena `count` bytes of one page are.
    private func place(_ iova: UInt64, _ count: Int) -> UnsafeMutableRawPointer? {
        guard iova >= Self.firstAddress, iova < Self.firstAddress + UInt64(byteCount),
            Int(iova % 4096) + count <= 4096
        else { return nil }
        let index = Int((iova - Self.firstAddress) / 4096)
        return unsafe arena + index * 641 % (byteCount / 4096) * 4096 + Int(iova % 4096)
    }

    /// Lends a page, in this bench's way or in another.
    func map(_ iova: UInt64, as way: MemoryWay? = nil) throws {
        switch way ?? self.way {
        case .remote: try space.mapRemote(iova: iova, byteCount: 4096, .both)
        case .shared:
            guard let base = unsafe place(iova, 4096) else { throw IOVAError.notMapped(iova: iova) }
            unsafe try space.map(iova: iova, base: base, byteCount: 4096, .both)
        }
    }

    func unmap(_ iova: UInt64) throws { try space.unmap(iova: iova) }

    // MARK: The driver's accesses

    func write(_ bytes: [UInt8], at iova: UInt64) {
        guard let start = unsafe place(iova, bytes.count) else {
            Issue.record("the bench has no memory at \(iova)")
            return
        }
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyMemory(from: source)
        }
    }

    func read(_ iova: UInt64, count: Int) -> [UInt8] {
        guard let start = unsafe place(iova, count) else {
            Issue.record("the bench has no memory at \(iova)")
            return [UInt8](repeating: 0, count: count)
        }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    // MARK: Transfers

    /// What has been asked for and not been done.
    private var waiting: [RemoteTransfer] = []
    /// Writes that were carried out, in their order.
    private(set) var writes: [(iova: UInt64, count: Int)] = []

    /// Carries out one transfer; whether there was one.
    func step() -> Bool {
        waiting += space.transfers.take()
        guard !waiting.isEmpty else { return false }
        carryOut(waiting.removeFirst())
        return true
    }

    /// Carries out all that the device wants; whether there was anything.
    func transfer() -> Bool {
        guard step() else { return false }
        while step() {}
        return true
    }

    /// As a server does: what is not remote memory any more is refused.
    private func carryOut(_ transfer: RemoteTransfer) {
        transferCount += 1
        switch transfer {
        case .read(let ticket, let iova, let count):
            readCount += 1
            let isAllowed = !refusesReads && space.isRemote(iova, length: count, .deviceReads)
            space.transfers.finishRead(ticket, isAllowed ? read(iova, count: count) : nil)
        case .write(let iova, let bytes):
            let isAllowed = space.isRemote(iova, length: bytes.count, .deviceWrites)
            writes.append((iova, bytes.count))
            if isAllowed { write(bytes, at: iova) }
            space.transfers.finishWrite(succeeded: isAllowed)
            onWritten()
        }
    }
}
