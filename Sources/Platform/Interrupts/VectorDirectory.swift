// Who has which vector of a function. Its lock is held for a few words only: never while a vector is attached or detached,
// which may be a system call, a message to another process, or a wait for a model's thread.
//
//   state      by
//   free       ─ reserve ─► reserved
//   reserved   ─ settle ──► lent          the vector works
//   reserved   ─ release ─► free          it was refused
//   lent       ─ release ─► free          its lease ended, after the backing took it away
//
// Forbidden: free ─► lent, which would let two takers attach one vector. A count is of the lent ones: what is reserved is
// not there yet, and whoever asks is not told that it is.

import Synchronization

/// What is known of a vector that is on loan.
public struct VectorStatus: Equatable, Sendable {
    public let index: Int
    /// As Linux's driver names it in `/proc/interrupts`.
    public let name: String
    /// Where its handler is to run; nil: anywhere.
    public let cpus: CPUSet?
    /// Messages since it was taken; where the device is elsewhere, those that have been consumed.
    public let firedCount: UInt64

    public init(index: Int, name: String, cpus: CPUSet?, firedCount: UInt64) {
        self.index = index
        self.name = name
        self.cpus = cpus
        self.firedCount = firedCount
    }
}

/// The vectors of a table, by number.
final class VectorDirectory: Sendable {
    private struct Loan {
        let name: String
        let cpus: CPUSet?
        let cell: InterruptCell
    }

    private struct Books {
        var free: FreeNumbers
        /// By number; nil: free or reserved.
        var loans: [Loan?]
        var reserved: [Bool]
        var lentCount = 0
    }

    let tableCount: Int
    private let books: Mutex<Books>

    init(tableCount: Int) {
        // MSI-X has 2048 at most (PCI Express Base 5.0 §7.7.2.2), whatever a source says.
        let count = min(max(0, tableCount), 2048)
        self.tableCount = count
        books = Mutex(
            Books(
                free: FreeNumbers(all: count),
                loans: [Loan?](repeating: nil, count: count),
                reserved: [Bool](repeating: false, count: count)
            )
        )
    }

    /// Sets a number aside for a vector that is about to be attached; nil: the lowest free one.
    func reserve(_ wanted: Int?) throws(VectorShortage) -> VectorPlace {
        let tableCount = tableCount
        let answer = books.withLock { books -> Result<Int, VectorShortage> in
            guard let index = wanted ?? books.free.lowest else { return .failure(.allTaken(tableCount: tableCount)) }
            guard books.loans.indices.contains(index) else {
                return .failure(.noSuchVector(index, tableCount: tableCount))
            }
            guard books.loans[index] == nil, !books.reserved[index] else { return .failure(.taken(index)) }
            books.reserved[index] = true
            books.free.remove(index)
            return .success(index)
        }
        return VectorPlace(index: try answer.get(), directory: self)
    }

    /// The vector works.
    fileprivate func settle(_ index: Int, name: String, cpus: CPUSet?, cell: InterruptCell) {
        let loan = Loan(name: name, cpus: cpus, cell: cell)
        books.withLock {
            $0.reserved[index] = false
            $0.loans[index] = loan
            $0.lentCount += 1
        }
    }

    fileprivate func release(_ index: Int) {
        // The loan's end may close a descriptor: outside of the lock.
        let loan = books.withLock { books -> Loan? in
            let loan = books.loans[index]
            if loan != nil { books.lentCount -= 1 }
            books.loans[index] = nil
            books.reserved[index] = false
            books.free.insert(index)
            return loan
        }
        _ = loan
    }

    var lentCount: Int { books.withLock { $0.lentCount } }

    func status(_ index: Int) -> VectorStatus? {
        let loan = books.withLock { $0.loans.indices.contains(index) ? $0.loans[index] : nil }
        guard let loan else { return nil }
        return VectorStatus(index: index, name: loan.name, cpus: loan.cpus, firedCount: loan.cell.count)
    }

    var statuses: [VectorStatus] { (0..<tableCount).compactMap { status($0) } }
}

/// A number of the table that is not free. Its end frees it.
struct VectorPlace: ~Copyable, Sendable {
    let index: Int
    private let directory: VectorDirectory

    fileprivate init(index: Int, directory: VectorDirectory) {
        self.index = index
        self.directory = directory
    }

    deinit { directory.release(index) }

    func settle(name: String, cpus: CPUSet?, cell: InterruptCell) {
        directory.settle(index, name: name, cpus: cpus, cell: cell)
    }
}
