// Which MSI-X vectors are attached, and what the kernel must be told when one comes or goes.
//
// Since Linux 6.5 a vector may be added to those that are enabled already (`vfio_pci_irq.c`: vfio_msi_alloc_irq), where
// the platform can do so; the irq info then lacks NORESIZE. Elsewhere all must be disabled and enabled anew with the new
// one among them, and a message that the device sends in between is lost: whoever waits must be woken to look.

/// The attached vectors of a function.
package struct VectorTable: Sendable {
    /// One thing to tell the kernel, in order.
    package enum Step: Sendable, Equatable {
        /// VFIO_DEVICE_SET_IRQS from vector `start` on; -1: detach.
        case set(start: Int, [Int32])
        /// Takes all vectors away.
        case disable
        /// Not for the kernel: wake who waits on this eventfd, a message may have been lost.
        case wake(Int32)
    }

    /// Why a vector was not attached.
    package enum Refusal: Error, Equatable {
        case outOfRange
        case attached
    }

    package let count: Int
    private let isFixedOnceEnabled: Bool
    private var descriptors: [Int: Int32] = [:]

    package init(_ info: VFIOInterruptInfo) {
        count = info.count
        isFixedOnceEnabled = info.isFixedOnceEnabled
    }

    package var attachedCount: Int { descriptors.count }

    /// Notes that vector `index` signals `descriptor`; what to tell the kernel. If the kernel refuses, `detach` it.
    package mutating func attach(_ index: Int, _ descriptor: Int32) throws(Refusal) -> [Step] {
        guard index >= 0, index < count else { throw .outOfRange }
        guard descriptors[index] == nil else { throw .attached }
        let others = descriptors
        descriptors[index] = descriptor
        guard isFixedOnceEnabled, !others.isEmpty else { return [.set(start: index, [descriptor])] }
        return [.disable] + setAll() + others.sorted { $0.key < $1.key }.map { .wake($0.value) }
    }

    /// Notes that vector `index` signals nobody; what to tell the kernel.
    package mutating func detach(_ index: Int) -> [Step] {
        guard descriptors.removeValue(forKey: index) != nil else { return [] }
        return descriptors.isEmpty ? [.disable] : [.set(start: index, [-1])]
    }

    /// What brings the kernel to this table, whatever it has: after an attachment that failed half-way.
    package func restoration() -> [Step] {
        [.disable] + setAll() + descriptors.sorted { $0.key < $1.key }.map { .wake($0.value) }
    }

    /// One call from vector 0 to the highest one, with -1 in the holes.
    private func setAll() -> [Step] {
        guard let last = descriptors.keys.max() else { return [] }
        return [.set(start: 0, (0...last).map { descriptors[$0] ?? -1 })]
    }
}
