// Telling the device how far a ring is filled: once per burst.

import Registers

/// A queue's tail: memory that the device watches where the backing lends it so, else a register write. Not copied: a
/// copy would count references, once per burst.
struct TailRegister<BAR: RegisterAccess>: ~Copyable {
    let doorbell: DoorbellRegister?
    let bar: BAR
    let offset: UInt32

    init(_ bar: BAR, _ register: Register<PlainWord>) {
        self.bar = bar
        self.offset = register.offset
        self.doorbell = bar.doorbell(at: register.offset)
    }

    /// Publishes all descriptors written before and then `tail`.
    func ring(_ tail: UInt32) {
        if let doorbell { doorbell.ring(tail) } else { store(tail) }
    }

    @inline(never) private func store(_ tail: UInt32) { bar.store(offset, tail) }
}
