// The ways to keep vectors that are compared, and one turn of each: a vector is returned, taken again, and found.

import Backing
import CLinux
import CVectorList
import Clock
import Foundation
import Interrupts
import Leases
import Measure

enum Way: String, CaseIterable {
    /// The service over a backing that has nothing to do.
    case service
    /// The service over a virtual device in this process: a new eventfd, the device's MSI-X table.
    case attached
    /// What the kernel takes of that: an eventfd closed and another opened, among as many.
    case descriptor
    /// The list in C, which has no device to tell either.
    case list

    var title: String {
        switch self {
        case .service: "service"
        case .attached: "service, attached to a device"
        case .descriptor: "an eventfd alone"
        case .list: "list in C"
        }
    }

    var color: String {
        switch self {
        case .service: "#0072b2"
        case .attached: "#56b4e9"
        case .descriptor: "#999999"
        case .list: "#d55e00"
        }
    }

    /// What a turn costs while `vectors` are on loan, at numbers in no order.
    func nanosecondsPerTurn(vectors count: Int, turns: Int) -> Double {
        let nanoseconds =
            switch self {
            case .service: Self.run(InterruptVectors(ReadySource(count: count)), turns: turns)
            case .attached:
                Self.run(
                    InterruptVectors(InProcess(VectorCard(vectorCount: count), name: "vectors", census: Census())),
                    turns: turns
                )
            case .descriptor: Self.runDescriptors(count, turns: turns)
            case .list: Self.runList(count, turns: turns)
            }
        return Double(nanoseconds) / Double(turns)
    }

    private static let name = "mana_q0@pci:0000:00:02.0"

    private static func run(_ vectors: InterruptVectors<some VectorSource>, turns: Int) -> UInt64 {
        var held = HeldVectors()
        guard vectors.fill(&held, upTo: vectors.tableCount, name: { _ in name }) == nil,
            held.count == vectors.tableCount
        else { fail("the service lent \(held.count) of \(vectors.tableCount) vectors") }
        var numbers = Numbers(below: vectors.tableCount)
        let start = monotonicNanoseconds()
        for _ in 0..<turns {
            let index = numbers.next()
            guard held.take(index) != nil else { fail("vector \(index) is not here") }
            do {
                held.add(try vectors.take(index, name: name))
            } catch {
                fail("vector \(index): \(error)")
            }
            guard vectors.status(index)?.index == index else { fail("vector \(index) was not found") }
        }
        let nanoseconds = monotonicNanoseconds() - start
        guard vectors.takenCount == vectors.tableCount else { fail("the service counts \(vectors.takenCount)") }
        return nanoseconds
    }

    private static func runDescriptors(_ count: Int, turns: Int) -> UInt64 {
        var descriptors = (0..<count).map { _ in clinux_eventfd() }
        defer { for descriptor in descriptors { close(descriptor) } }
        var numbers = Numbers(below: count)
        let start = monotonicNanoseconds()
        for _ in 0..<turns {
            let index = numbers.next()
            close(descriptors[index])
            descriptors[index] = clinux_eventfd()
        }
        let nanoseconds = monotonicNanoseconds() - start
        guard !descriptors.contains(where: { $0 < 0 }) else { fail("no more files may be opened: see ulimit -n") }
        return nanoseconds
    }

    private static func runList(_ count: Int, turns: Int) -> UInt64 {
        // SAFETY: the list is this function's, from here to `destroy`.
        guard let list = unsafe cvectorlist_create() else { fail("no memory") }
        defer { unsafe cvectorlist_destroy(list) }
        for index in 0..<UInt32(count) {
            guard unsafe cvectorlist_add(list, index, name) == 0 else { fail("no memory") }
        }
        var numbers = Numbers(below: count)
        let start = monotonicNanoseconds()
        for _ in 0..<turns {
            let index = UInt32(numbers.next())
            guard unsafe cvectorlist_remove(list, index) == 0, unsafe cvectorlist_add(list, index, name) == 0,
                unsafe cvectorlist_find(list, index) == 0
            else { fail("the list lost vector \(index)") }
        }
        return monotonicNanoseconds() - start
    }
}

/// Numbers that seem to be in no order, the same for all.
private struct Numbers {
    private var state: UInt32 = 1
    private let limit: UInt32

    init(below limit: Int) { self.limit = UInt32(limit) }

    mutating func next() -> Int {
        // Numerical Recipes' generator; its high bits are the better ones.
        state = state &* 1_664_525 &+ 1_013_904_223
        return Int((state >> 16) % limit)
    }
}

/// A function whose vectors are there already.
private final class ReadySource: VectorSource, VectorDetacher {
    let vectorCount: Int
    let canAddVectors = true
    private let cells: [InterruptCell]

    init(count: Int) {
        vectorCount = count
        cells = (0..<count).map { _ in InterruptCell() }
    }

    func attachVector(_ index: Int, cpu: Int?) throws(VectorShortage) -> InterruptLease {
        InterruptLease(index: index, cell: cells[index], detacher: self, mark: nil)
    }

    func detachVector(_ index: Int) {}
    func failure(_ reason: VectorShortage) -> VectorShortage { reason }
}
