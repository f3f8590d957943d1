// What is open for a function, each a lease that gives back the one thing it took: container, group, device, regions. An
// error on the way up ends those taken so far, last one first.

import Leases
import Memory

/// An open descriptor. Its end closes it.
struct OpenDescriptor: ~Copyable {
    let number: Int32
    private let calls: any VFIOCalls
    private let mark: CensusMark

    init(_ number: Int32, _ calls: any VFIOCalls, _ mark: consuming CensusMark) {
        self.number = number
        self.calls = calls
        self.mark = mark
    }

    deinit { calls.close(number) }
}

/// A group that belongs to a container. Its end takes it out; the container then has no IOMMU and no mappings.
struct AttachedGroup: ~Copyable {
    let descriptor: OpenDescriptor
    private let calls: any VFIOCalls

    init(
        _ descriptor: consuming OpenDescriptor,
        to container: borrowing OpenDescriptor,
        _ calls: any VFIOCalls
    ) throws(SystemError) {
        try calls.attach(group: descriptor.number, to: container.number)
        self.calls = calls
        self.descriptor = descriptor
    }

    deinit {
        // A group whose device is still open stays: the kernel takes it out with the last descriptor.
        try? calls.detach(group: descriptor.number)
    }
}

/// Everything that is open for one function.
struct FunctionHandles: ~Copyable {
    // Fields end in declaration order: no device without its group, no group without its container.
    let device: OpenDescriptor
    let group: AttachedGroup
    let container: OpenDescriptor

    init(
        device: consuming OpenDescriptor,
        group: consuming AttachedGroup,
        container: consuming OpenDescriptor
    ) {
        self.device = device
        self.group = group
        self.container = container
    }
}
