// What the service needs of a backing: to attach a vector, and to know what it can do.

/// Whoever attaches the vectors of a function.
public protocol VectorSource {
    /// What it throws.
    associatedtype VectorFailure: Error

    /// The vectors of the function's MSI-X table.
    var vectorCount: Int { get }
    /// Whether a vector can be added to others that work without disturbing those. Where not (VFIO's NORESIZE: Linux before
    /// 6.5, and some platforms since), all are taken away and set anew, so a driver does better to take all at the start.
    var canAddVectors: Bool { get }
    /// Attaches one interrupt vector: at any time, one by one. `cpu` is a hint where its handler will run.
    func attachVector(_ index: Int, cpu: Int?) throws(VectorFailure) -> InterruptLease
    /// In the source's words: why the service has no vector to lend.
    func failure(_ reason: VectorShortage) -> VectorFailure
}

/// Why the service has no vector to lend.
public enum VectorShortage: Error, Equatable, Sendable {
    /// No vector of the table.
    case noSuchVector(Int, tableCount: Int)
    /// On loan.
    case taken(Int)
    /// All of the table are on loan.
    case allTaken(tableCount: Int)
    /// This process may not open another descriptor: nobody could sleep on the vector.
    case noDescriptor(Int)
}
