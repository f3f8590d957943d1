// The caller's memory: pages that the file may fill, pages that change what may be done to them, and none behind. Nothing
// else of this process is ever named, so that whatever the file writes, it writes here.

import FuzzInput
import Glibc

@safe final class Arena {
    static let pages = 48
    private static let pageBytes = 4096
    private static let canary: UInt8 = 0xC7
    private let base: UnsafeMutableRawPointer
    /// Whether bytes are looked at: not while some pages cannot be.
    private(set) var isWhole = true

    // SAFETY (all): the mapping is ours from init to deinit, and accesses are inside it.
    init() {
        let byteCount = (Self.pages + 1) * Self.pageBytes
        let address = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { fatalError("mmap") }
        unsafe base = address
        unsafe mprotect(base + Self.pages * Self.pageBytes, Self.pageBytes, PROT_NONE)
    }

    deinit { unsafe munmap(base, (Self.pages + 1) * Self.pageBytes) }

    /// Bytes of the arena that follow `offset`.
    func room(_ offset: Int) -> Int { Self.pages * Self.pageBytes - offset }

    /// A place in the arena, often at its end or across a page.
    func place(_ choices: inout Choices) -> Int {
        let end = Self.pages * Self.pageBytes
        return choices.pick([0, 0, 1, 4093, end - 8, end - 40, end - 4096, end - 0x1_0004, end - 1])
    }

    @unsafe func address(_ offset: Int) -> UnsafeMutableRawPointer { unsafe base + offset }

    /// An address that is no memory.
    @unsafe func nowhere(_ choices: inout Choices) -> UnsafeMutableRawPointer? {
        let end = UInt(bitPattern: unsafe base) + UInt(Self.pages * Self.pageBytes)
        let places = [end, end + 4095, 8, 4095, 1 << 47, UInt.max, UInt.max - 7, UInt.max - 4095]
        return unsafe UnsafeMutableRawPointer(bitPattern: choices.pick(places))
    }

    /// What may be done to a stretch of pages: all, reading, nothing.
    func protect(_ choices: inout Choices) {
        let first = choices.below(Self.pages)
        let count = min(choices.below(8) + 1, Self.pages - first)
        let protection = choices.pick([PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE])
        unsafe mprotect(base + first * Self.pageBytes, count * Self.pageBytes, protection)
        isWhole = false
    }

    /// All pages are memory again.
    func restore() {
        unsafe mprotect(base, Self.pages * Self.pageBytes, PROT_READ | PROT_WRITE)
        isWhole = true
    }

    /// Puts `bytes` at `offset`, as far as there is room.
    func store(_ bytes: [UInt8], at offset: Int) {
        guard isWhole else { return }
        for (index, byte) in bytes.enumerated() where index < room(offset) {
            unsafe base.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
    }

    subscript(offset: Int) -> UInt8 { unsafe base.load(fromByteOffset: offset, as: UInt8.self) }

    /// Marks the bytes behind `end`, which nobody may write.
    func mark(behind end: Int) {
        guard isWhole, end >= 0, room(end) > 0 else { return }
        for index in 0..<min(64, room(end)) {
            unsafe base.storeBytes(of: Self.canary, toByteOffset: end + index, as: UInt8.self)
        }
    }

    func check(behind end: Int) {
        guard isWhole, end >= 0, room(end) > 0 else { return }
        for index in 0..<min(64, room(end)) where self[end + index] != Self.canary {
            fatalError("byte \(index) behind the buffer was written")
        }
    }
}
