// The hostile driver's memory: pages that the device may read and write, and one that it may read alone. Lent as it is, or
// as memory that is reached by transfers.
//
// SAFETY: the pages are there from `init` to `deinit`; places are checked against them.

import Memory

@safe final class DriverMemory {
    static let pageCount = 64
    static let byteCount = pageCount * 4096
    /// The first page's address is this too, so that 0 is nowhere.
    static let start: UInt64 = 4096
    private static let preciousByte: UInt8 = 0xB5

    let space: IOVASpace
    let isRemote: Bool
    private let base: UnsafeMutableRawPointer

    init(_ space: IOVASpace, isRemote: Bool) {
        self.space = space
        self.isRemote = isRemote
        unsafe base = .allocate(byteCount: Self.byteCount, alignment: 4096)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
        write([UInt8](repeating: Self.preciousByte, count: 4096), Self.preciousPage)
        for page in 0..<Self.pageCount { map(page) }
    }

    deinit { unsafe base.deallocate() }

    /// The page that the device may read alone.
    static var preciousPage: UInt64 { address(pageCount - 1) }
    static func address(_ page: Int) -> UInt64 { start + UInt64(page) * 4096 }

    /// Lends a page, if it is not lent.
    func map(_ page: Int) {
        let iova = Self.address(page)
        let permissions: DMAPermissions = iova == Self.preciousPage ? .deviceReads : .both
        if isRemote {
            try? space.mapRemote(iova: iova, byteCount: 4096, permissions)
        } else {
            unsafe try? space.map(iova: iova, base: base + page * 4096, byteCount: 4096, permissions)
        }
    }

    /// Takes a page away, if it is lent.
    func unmap(_ page: Int) { try? space.unmap(iova: Self.address(page)) }

    private func place(_ iova: UInt64, _ count: Int) -> Int? {
        let (offset, isBelow) = iova.subtractingReportingOverflow(Self.start)
        guard !isBelow, offset <= UInt64(Self.byteCount), count <= Self.byteCount - Int(offset) else { return nil }
        return Int(offset)
    }

    func write(_ bytes: [UInt8], _ iova: UInt64) {
        guard let place = place(iova, bytes.count) else { return }
        unsafe bytes.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(start: base + place, count: bytes.count).copyMemory(from: $0)
        }
    }

    func read(_ iova: UInt64, count: Int) -> [UInt8]? {
        guard let place = place(iova, count) else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: base + place, count: count))
    }

    var preciousIsUntouched: Bool {
        read(Self.preciousPage, count: 4096)?.allSatisfy { $0 == Self.preciousByte } ?? false
    }

    /// Carries out what the device wants of remote memory; whether there was anything.
    ///
    /// - Parameter spoils: answers some of it with nothing.
    func transfer(spoils: () -> Bool) -> Bool {
        let wanted = space.transfers.take()
        for transfer in wanted {
            switch transfer {
            case .read(let ticket, let iova, let count):
                let isAllowed = space.isRemote(iova, length: count, .deviceReads) && !spoils()
                space.transfers.finishRead(ticket, isAllowed ? read(iova, count: count) : nil)
            case .write(let iova, let bytes):
                let isAllowed = space.isRemote(iova, length: bytes.count, .deviceWrites) && !spoils()
                if isAllowed { write(bytes, iova) }
                space.transfers.finishWrite(succeeded: isAllowed)
            }
        }
        return !wanted.isEmpty
    }
}
