// The interrupt tree and the messages that come of it.

import Backing
import Clock
import GraceHopperModel
import GraceHopperWire
import Interrupts
import Leases
import PCIe
import Testing

@Suite struct InterruptTests {
    private typealias Tree = InterruptRegisters

    /// As a handler's set-up does: every source of a leaf, every subtree.
    private func enable(_ rig: Rig) {
        for leaf in 0..<UInt32(Tree.leafCount) { rig.store(Tree.leafEnableSet + 4 * leaf, ~0) }
        rig.store(Tree.topEnableSet, ~0)
    }

    private func expect(_ vector: borrowing InterruptLease, fired count: UInt64) {
        let fired = vector.firedCount
        #expect(fired == count)
    }

    @Test func aTriggeredSourceIsPendingUntilItIsCleared() throws {
        let rig = try Rig()
        rig.store(Tree.leafTrigger, 129)
        #expect(rig.load(Tree.leaf + 16) == 2)
        #expect(rig.load(Tree.top) == 0, "not enabled")
        rig.store(Tree.leafEnableSet + 16, 2)
        #expect(rig.load(Tree.top) == 1 << 2)
        rig.store(Tree.leaf + 16, 0xFD)
        #expect(rig.load(Tree.leaf + 16) == 2)
        rig.store(Tree.leaf + 16, 2)
        #expect(rig.load(Tree.leaf + 16) == 0 && rig.load(Tree.top) == 0)
    }

    @Test func switchesAreSetAndClearedBitByBit() throws {
        let rig = try Rig()
        rig.store(Tree.leafEnableSet + 60, 0xF0F0)
        rig.store(Tree.leafEnableSet + 60, 0x000F)
        rig.store(Tree.leafEnableClear + 60, 0xF000)
        #expect(rig.load(Tree.leafEnableSet + 60) == 0x00FF)
        #expect(rig.load(Tree.leafEnableClear + 60) == 0x00FF)
        rig.store(Tree.topEnableSet, ~0)
        #expect(rig.load(Tree.topEnableSet) == 0xFF, "eight subtrees")
        rig.store(Tree.topEnableClear, 0x0F)
        #expect(rig.load(Tree.topEnableSet) == 0xF0)
    }

    @Test(arguments: [UInt32(0), 63, 64, 129, 511])
    func aSourceSendsTheMessageOfItsSubtree(_ source: UInt32) throws {
        let rig = try Rig()
        enable(rig)
        let census = Census()
        let function = InProcess(rig.model, name: "gracehopper", census: census)
        rig.switchOn()
        do {
            let vector = try function.attachVector(Tree.vector(ofSource: source), cpu: nil)
            rig.store(Tree.leafTrigger, source)
            expect(vector, fired: 1)
            // A second source of a subtree that has sent already is found when the handler looks.
            rig.store(Tree.leafTrigger, source ^ 1)
            expect(vector, fired: 1)
            // A handler that has not cleared all is told again when it arms.
            rig.store(Tree.topEnableClear, ~0)
            rig.store(Tree.leaf + source / 32 * 4, 1 << (source % 32))
            rig.store(Tree.topEnableSet, ~0)
            expect(vector, fired: 2)
            // Also one that has not switched the subtree off meanwhile.
            rig.store(Tree.topEnableSet, ~0)
            expect(vector, fired: 3)
            rig.store(Tree.leaf + source / 32 * 4, ~0)
            rig.store(Tree.topEnableSet, ~0)
            expect(vector, fired: 3)
            rig.model.raise(source: source)
            expect(vector, fired: 4)
        }
        #expect(census.outstanding.isEmpty)
        #expect(rig.model.counters.messages.reduce(0, +) == 4)
    }

    @Test(arguments: [UInt32(512), 4095, 4096 + 600, .max])
    func sourcesThatAreNotThereDoNothing(_ source: UInt32) throws {
        let rig = try Rig()
        enable(rig)
        rig.store(Tree.leafTrigger, source)
        rig.model.raise(source: source)
        #expect((0..<UInt32(Tree.leafCount)).allSatisfy { rig.load(Tree.leaf + 4 * $0) == 0 })
    }

    /// Masked entry, masked function, MSI-X off, bus master off: the message waits, and goes when it may.
    @Test(arguments: ["entry", "function", "off", "bus master"])
    func aMessageThatMayNotGoWaits(_ obstacle: String) throws {
        let rig = try Rig()
        enable(rig)
        let control: UInt16 = 0xB2
        let entry = GraceHopper.msixTableOffset + 12
        func set(_ isThere: Bool) {
            rig.store(entry, obstacle == "entry" && isThere ? 1 : 0)
            let off: UInt64 = obstacle == "off" ? 0 : 0xC000
            rig.model.writeConfig(
                control,
                .word,
                (obstacle == "function" || obstacle == "off") && isThere ? off : 0x8000
            )
            rig.model.writeConfig(0x04, .word, obstacle == "bus master" && isThere ? 2 : 6)
        }
        set(true)
        rig.store(Tree.leafTrigger, 0)
        #expect(rig.model.counters.messages[0] == 0)
        #expect(rig.load(GraceHopper.msixPendingOffset) == 1)
        set(false)
        #expect(rig.model.counters.messages[0] == 1)
        #expect(rig.load(GraceHopper.msixPendingOffset) == 0)
        #expect(rig.model.host.unattachedMessages == 1)
    }
}
