// A BAR as the guest's kernel lends it to any program: a file of sysfs that is mapped. One access each, so that scripts can
// say what they look at.
// Source: Documentation/PCI/sysfs-pci.rst.
//
// SAFETY (whole file): every access lies within what was mapped for it.

import Glibc
import Memory

/// A stretch of a BAR, mapped. Its end unmaps it.
@safe struct BARFile: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let mappedCount: Int
    /// Of the stretch's first byte, in the mapping's first page.
    private let start: Int

    /// - Parameter path: …/resource4, for instance.
    init(_ path: String, at offset: UInt64, byteCount: Int) throws {
        let descriptor = unsafe open(path, O_RDWR | O_SYNC | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError.last("open \(path)") }
        defer { close(descriptor) }
        let start = Int(offset % 4096)
        let mappedCount = (start + byteCount + 4095) / 4096 * 4096
        let mapped = unsafe mmap(nil, mappedCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, Int(offset) - start)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw SystemError.last("mmap of \(path)") }
        unsafe base = mapped
        self.mappedCount = mappedCount
        self.start = start
    }

    deinit { unsafe munmap(base, mappedCount) }

    /// Eight bytes, at any alignment.
    func load(_ offset: Int = 0) -> UInt64 {
        unsafe base.loadUnaligned(fromByteOffset: start + offset, as: UInt64.self)
    }

    func store(_ offset: Int = 0, _ value: UInt64) {
        unsafe base.storeBytes(of: value, toByteOffset: start + offset, as: UInt64.self)
    }
}

/// What scripts ask of a BAR.
enum BARCommand {
    static let usage = """
               nvgrace-trial --bar FILE load OFFSET               eight bytes of a BAR, as a number
               nvgrace-trial --bar FILE store OFFSET NUMBER
               nvgrace-trial --bar FILE fill OFFSET COUNT SEED    words that tell their place
               nvgrace-trial --bar FILE verify OFFSET COUNT SEED  that they are there
        """

    /// nil: not understood.
    static func run(_ words: [String]) throws -> Bool? {
        guard words.count >= 3, let offset = number(words[2]) else { return nil }
        switch (words[1], words.dropFirst(3).map(number)) {
        case ("load", let rest) where rest.isEmpty:
            let digits = String(try BARFile(words[0], at: offset, byteCount: 8).load(), radix: 16)
            print(String(repeating: "0", count: 16 - digits.count) + digits)
        case ("store", let rest) where rest.count == 1:
            guard let value = rest[0] else { return nil }
            try BARFile(words[0], at: offset, byteCount: 8).store(0, value)
        case (let command, let rest) where rest.count == 2 && (command == "fill" || command == "verify"):
            guard let count = rest[0], let seed = rest[1], count % 8 == 0, count > 0 else { return nil }
            let stretch = try BARFile(words[0], at: offset, byteCount: Int(count))
            for place in stride(from: 0, to: Int(count), by: 8) {
                let word = (offset + UInt64(place)) &* 0x9E37_79B9_7F4A_7C15 ^ seed
                if command == "fill" {
                    stretch.store(place, word)
                } else if stretch.load(place) != word {
                    print("\(hex(Int(offset) + place)) has \(hex(Int(truncatingIfNeeded: stretch.load(place))))")
                    return false
                }
            }
        default: return nil
        }
        return true
    }

    /// Decimal, or hexadecimal behind 0x.
    static func number(_ word: String) -> UInt64? {
        word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
    }
}
