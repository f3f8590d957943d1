// Who holds what: every lease signs in when it is taken and out when it ends, so a test can ask what is still out.

import Synchronization

/// The count of live leases, by kind. One per machine, handed to whatever gives out leases.
public final class Census: Sendable {
    private let live = Mutex<[String: Int]>([:])

    public init() {}

    /// Signs a lease in; it signs out when the returned mark ends.
    public func mark(_ kind: String) -> CensusMark {
        live.withLock { $0[kind, default: 0] += 1 }
        return CensusMark(census: self, kind: kind)
    }

    /// What is out on loan now: kind and count, zero counts left out.
    public var outstanding: [String: Int] { live.withLock { $0 } }

    fileprivate func signOut(_ kind: String) {
        live.withLock {
            let count = $0[kind, default: 0] - 1
            $0[kind] = count == 0 ? nil : count
        }
    }
}

/// The proof that a lease is counted. A lease stores it as a field; its end is the lease's end.
public struct CensusMark: ~Copyable, Sendable {
    private let census: Census
    private let kind: String

    fileprivate init(census: Census, kind: String) {
        self.census = census
        self.kind = kind
    }

    deinit { census.signOut(kind) }
}
