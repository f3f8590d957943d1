// Numbered things lent one at a time: interrupt vectors, queue numbers, filter slots.

import Synchronization

/// The numbers `0..<capacity`, each lent to one holder at a time.
public final class IndexPool: Sendable {
    public let kind: String
    public let capacity: Int
    private let census: Census
    private let taken: Mutex<[Bool]>

    public init(kind: String, capacity: Int, census: Census) {
        self.kind = kind
        self.capacity = capacity
        self.census = census
        self.taken = Mutex([Bool](repeating: false, count: capacity))
    }

    /// The lowest free number, or nil when all are out.
    public func take() -> IndexLease? {
        let index = taken.withLock { taken -> Int? in
            guard let free = taken.firstIndex(of: false) else { return nil }
            taken[free] = true
            return free
        }
        guard let index else { return nil }
        return IndexLease(index: index, pool: self, mark: census.mark(kind))
    }

    /// This very number, or nil when it is out or out of range.
    public func take(_ index: Int) -> IndexLease? {
        let free = taken.withLock { taken -> Bool in
            guard taken.indices.contains(index), !taken[index] else { return false }
            taken[index] = true
            return true
        }
        guard free else { return nil }
        return IndexLease(index: index, pool: self, mark: census.mark(kind))
    }

    /// How many are out.
    public var takenCount: Int { taken.withLock { $0.count { $0 } } }

    fileprivate func giveBack(_ index: Int) {
        taken.withLock { $0[index] = false }
    }
}

/// One number of a pool, until the lease ends.
public struct IndexLease: ~Copyable, Sendable {
    public let index: Int
    private let pool: IndexPool
    private let mark: CensusMark

    fileprivate init(index: Int, pool: IndexPool, mark: consuming CensusMark) {
        self.index = index
        self.pool = pool
        self.mark = mark
    }

    deinit { pool.giveBack(index) }
}
