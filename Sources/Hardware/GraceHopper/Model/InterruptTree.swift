// From sources to messages: leaves, subtrees, and the switches of both. Source: NVIDIA's dev_vm.h for gh100, Linux
// nova-core for the order in which a handler works.

import GraceHopperWire

/// The interrupt tree. What it returns are the subtrees whose message goes out, as bits.
struct InterruptTree {
    private var pending = InlineArray<16, UInt32>(repeating: 0)
    private var enabled = InlineArray<16, UInt32>(repeating: 0)
    private var armed: UInt32 = 0
    private static let subtrees: UInt32 = (1 << UInt32(InterruptRegisters.subtreeCount)) - 1

    /// Subtrees with an enabled source pending.
    private var top: UInt32 {
        var bits: UInt32 = 0
        for leaf in 0..<InterruptRegisters.leafCount where pending[leaf] & enabled[leaf] != 0 {
            bits |= 1 << UInt32(leaf / 2)
        }
        return bits
    }

    /// A register of the tree at a multiple of 4; nil: there is none. What only takes writes reads zero.
    func read(_ offset: UInt32) -> UInt32? {
        if let leaf = Self.index(offset, in: InterruptRegisters.leaf) { return pending[leaf] }
        if let leaf = Self.index(offset, in: InterruptRegisters.leafEnableSet) { return enabled[leaf] }
        if let leaf = Self.index(offset, in: InterruptRegisters.leafEnableClear) { return enabled[leaf] }
        switch offset {
        case InterruptRegisters.top: return top
        case InterruptRegisters.topEnableSet, InterruptRegisters.topEnableClear: return armed
        case InterruptRegisters.leafTrigger: return 0
        default: return nil
        }
    }

    /// nil: there is no such register.
    mutating func write(_ offset: UInt32, _ value: UInt32) -> UInt32? {
        let before = top & armed
        var again: UInt32 = 0
        if let leaf = Self.index(offset, in: InterruptRegisters.leaf) {
            pending[leaf] &= ~value
        } else if let leaf = Self.index(offset, in: InterruptRegisters.leafEnableSet) {
            enabled[leaf] |= value
        } else if let leaf = Self.index(offset, in: InterruptRegisters.leafEnableClear) {
            enabled[leaf] &= ~value
        } else {
            switch offset {
            case InterruptRegisters.top: break
            case InterruptRegisters.topEnableSet:
                armed |= value & Self.subtrees
                again = value
            case InterruptRegisters.topEnableClear: armed &= ~value
            case InterruptRegisters.leafTrigger: trigger(value & 0xFFF)
            default: return nil
            }
        }
        let now = top & armed
        return now & (~before | again)
    }

    private mutating func trigger(_ source: UInt32) {
        guard source < UInt32(InterruptRegisters.sourceCount) else { return }
        pending[Int(source / 32)] |= 1 << (source % 32)
    }

    /// Which of the leaves' registers from `base` on is at `offset`.
    private static func index(_ offset: UInt32, in base: UInt32) -> Int? {
        let place = offset &- base
        return place < UInt32(4 * InterruptRegisters.leafCount) ? Int(place / 4) : nil
    }
}
