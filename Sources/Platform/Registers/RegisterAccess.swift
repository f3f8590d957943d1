// The driver's side of a BAR. Loads and stores do not fail: a device that is gone reads all ones and drops writes,
// as PCIe does, and the driver says so (`facts` rule zero of the I225: all-ones is not a value).

/// A copyable view of one mapped BAR: a volatile mapping, messages on a socket, or calls into a model.
public protocol RegisterAccess {
    /// A 32-bit read at an aligned byte offset.
    func load(_ offset: UInt32) -> UInt32
    /// A 32-bit write at an aligned byte offset. It may be posted, as on PCIe: a load from the same function returns after the
    /// device has acted on it.
    func store(_ offset: UInt32, _ value: UInt32)
    /// A 64-bit write at an offset that is a multiple of 8: one transaction, never two halves. A doorbell of 64 bits acts
    /// on all of them at once. As `store` in all else.
    func storeWide(_ offset: UInt32, _ value: UInt64)
    /// A read of `byteCount` bytes, 1, 2, 4 or 8, at an offset that is a multiple of it, as one transaction: for whoever
    /// passes on the accesses of others. All ones for any other size or offset.
    func load(_ offset: UInt64, byteCount: Int) -> UInt64
    /// A write of the low `byteCount` bytes of `value`, as one transaction; otherwise as the read of that size. Nothing for
    /// any other size or offset.
    func store(_ offset: UInt64, byteCount: Int, _ value: UInt64)
    /// Runs `body`, whose accesses belong together. A backing for which each of them is a message makes one of all.
    func together<Result>(_ body: () -> Result) -> Result
    /// The register at `offset` as memory that the device watches, if the backing can lend it so; nil means `store`.
    func doorbell(at offset: UInt32) -> DoorbellRegister?
}

extension RegisterAccess {
    @inlinable public func together<Result>(_ body: () -> Result) -> Result { body() }

    @inlinable public func read<Layout>(_ register: Register<Layout>) -> Layout {
        Layout(raw: load(register.offset))
    }

    @inlinable public func write<Layout>(_ register: Register<Layout>, _ value: Layout) {
        store(register.offset, value.raw)
    }

    @inlinable public func write(_ register: Register<PlainWord>, _ value: UInt32) {
        store(register.offset, value)
    }

    /// One load, the change, one store.
    @inlinable public func modify<Layout>(_ register: Register<Layout>, _ change: (inout Layout) -> Void) {
        var value = read(register)
        change(&value)
        write(register, value)
    }
}
