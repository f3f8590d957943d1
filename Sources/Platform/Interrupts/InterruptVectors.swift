// Vectors as leases: taken one at a time, at any time, given back one at a time. Every driver of ours takes them here.
//
// Taking all at once is a loop over the same call, for backings that cannot add a vector to others (`firstCount`).

/// The vectors of one function. Copies are the same service.
public struct InterruptVectors<Source: VectorSource> {
    private let source: Source
    private let directory: VectorDirectory

    public init(_ source: Source) {
        self.source = source
        directory = VectorDirectory(tableCount: source.vectorCount)
    }

    /// Vectors of the MSI-X table.
    public var tableCount: Int { directory.tableCount }

    /// Vectors on loan: attached, and not given back.
    public var takenCount: Int { directory.lentCount }

    /// How many to take before the device has said how many it can use: one where others can be added later, else as many
    /// as will be wanted at most.
    public func firstCount(atMost wanted: Int) -> Int {
        min(source.canAddVectors ? min(1, wanted) : wanted, tableCount)
    }

    /// Takes a vector.
    ///
    /// - Parameters:
    ///   - index: of the MSI-X table; nil: the lowest free one.
    ///   - name: as Linux's driver names it.
    ///   - cpus: where its handler is to run; nil: anywhere. The backing gets the first as its hint.
    /// - Throws: why there is none, in the source's words. Nothing has changed then.
    public func take(
        _ index: Int? = nil,
        name: String,
        cpus: CPUSet? = nil
    ) throws(Source.VectorFailure) -> VectorLease {
        let place: VectorPlace
        do throws(VectorShortage) {
            place = try directory.reserve(index)
        } catch {
            throw source.failure(error)
        }
        let lease = try source.attachVector(place.index, cpu: cpus?.first)
        let cell = lease.cell
        guard cell.eventDescriptor >= 0 else { throw source.failure(.noDescriptor(place.index)) }
        place.settle(name: name, cpus: cpus, cell: cell)
        return VectorLease(lease, name: name, cpus: cpus, place: place)
    }

    /// Takes, one at a time, those of the vectors `0..<count` that `held` lacks. Fewer than wanted is an answer, not a
    /// failure: what was taken before the first refusal stays. The end of the table ends it as well.
    ///
    /// - Parameters:
    ///   - name: of a vector by its index.
    ///   - cpus: where the handler of a vector is to run, by its index.
    /// - Returns: the refusal, if one ended it.
    public func fill(
        _ held: inout HeldVectors,
        upTo count: Int,
        name: (Int) -> String,
        cpus: (Int) -> CPUSet? = { _ in nil }
    ) -> Source.VectorFailure? {
        for index in 0..<max(0, min(count, tableCount)) where !held.contains(index) {
            do throws(Source.VectorFailure) {
                held.add(try take(index, name: name(index), cpus: cpus(index)))
            } catch {
                return error
            }
        }
        return nil
    }

    /// What is known of vector `index`; nil if it is not on loan, or there is none of that number. Takes the same time
    /// however many there are.
    public func status(_ index: Int) -> VectorStatus? { directory.status(index) }

    /// What is known of all vectors on loan, by index.
    public var statuses: [VectorStatus] { directory.statuses }
}

extension InterruptVectors: Sendable where Source: Sendable {}
