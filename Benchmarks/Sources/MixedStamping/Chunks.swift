// The program's book-keeping, by address: an array's write checks for other owners, which takes as long as a frame.

/// The chunks of the umem that are the program's, as a stack, and which of the others asked for a stamp.
@safe struct Chunks: ~Copyable {
    // SAFETY (whole type): both arrays have `Rig.chunks` elements. No address is pushed that was not popped, and those
    // of `init` name every chunk once.
    private let addresses: UnsafeMutablePointer<UInt64>
    private let asked: UnsafeMutablePointer<Bool>
    private(set) var count = Rig.chunks

    init() {
        unsafe addresses = .allocate(capacity: Rig.chunks)
        unsafe asked = .allocate(capacity: Rig.chunks)
        for chunk in 0..<Rig.chunks {
            unsafe (addresses + chunk).initialize(to: UInt64(chunk * Rig.chunkBytes + Rig.metadataBytes))
            unsafe (asked + chunk).initialize(to: false)
        }
    }

    deinit {
        unsafe addresses.deallocate()
        unsafe asked.deallocate()
    }

    mutating func pop() -> UInt64 {
        count &-= 1
        return unsafe addresses[count]
    }

    mutating func push(_ address: UInt64) {
        unsafe addresses[count] = address
        count &+= 1
    }

    mutating func note(_ address: UInt64, asked asks: Bool) {
        unsafe asked[Int(truncatingIfNeeded: address) / Rig.chunkBytes] = asks
    }

    func hasAsked(_ address: UInt64) -> Bool {
        unsafe asked[Int(truncatingIfNeeded: address) / Rig.chunkBytes]
    }
}
