// A trace says what the driver did: by register name, in order, with the ends of its leases.

import Backing
import Interrupts
import Leases
import Memory
import Registers
import Testing

private func end(_ lease: consuming InterruptLease) {}

@Suite struct RecordingTests {
    @Test func writesDownABringUpAndItsTearDown() throws {
        let rig = try Rig(.recording)
        do {
            // Leases end in reverse order of their making.
            let buffer = try rig.backing.allocateDMA(byteCount: 5000, .both, purpose: "copies")
            let vector = try rig.backing.attachVector(1, cpu: nil)
            let bar = try rig.backing.mapBAR(0)
            bar.modify(ScratchRegister.control) { $0[ScratchControl.enable] = true }
            bar.write(ScratchRegister.destination[1], UInt32(truncatingIfNeeded: buffer.iova >> 32))
            #expect(bar.doorbell(at: ScratchRegister.tail.offset) == nil, "a doorbell would pass the trace by")
            bar.write(ScratchRegister.tail, UInt32(vector.firedCount))
            _ = bar.load(0xF0)
            try rig.backing.reset()
        }
        #expect(
            rig.trace.entries == [
                .mapDMA(8192),
                .attachVector(1),
                .load("CONTROL", 0),
                .store("CONTROL", 1),
                .store("DESTINATION[1]", 0x10),
                .store("TAIL", 0),
                .load("0xF0", 0),
                .reset,
                .detachVector(1),
                .unmapDMA(8192),
            ]
        )
        #expect(rig.trace.stores.map(\.name) == ["CONTROL", "DESTINATION[1]", "TAIL"])
        #expect(rig.trace.stores.map(\.value) == [1, 0x10, 0])
        #expect(rig.census.outstanding.isEmpty, "a wrapped lease counts once and ends once")
    }

    @Test func aWrappedLeaseIsCountedOnce() throws {
        let rig = try Rig(.recording)
        let vector = try rig.backing.attachVector(0, cpu: nil)
        #expect(rig.census.outstanding == ["interrupt vector": 1])
        end(vector)
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test func namesRegistersOfOtherBARsByTheirOffset() throws {
        let rig = try Rig(.recording)
        let table = try rig.backing.mapBAR(ScratchDevice.tableBAR)
        table.store(0x0C, 1)
        #expect(rig.trace.entries == [.store("BAR 2 0xC", 1)])
    }

    @Test func whatFailedLeavesNoEntry() throws {
        let rig = try Rig(.recording)
        #expect(throws: DeviceError.self) { end(try rig.backing.attachVector(9, cpu: nil)) }
        #expect(throws: DeviceError.self) { _ = try rig.backing.mapBAR(9) }
        #expect(rig.trace.entries.isEmpty)
    }

    @Test func clearStartsANewTrace() throws {
        let rig = try Rig(.recording)
        let bar = try rig.backing.mapBAR(0)
        bar.write(ScratchRegister.scratch, 1)
        rig.trace.clear()
        bar.write(ScratchRegister.scratch, 2)
        #expect(rig.trace.entries.map(\.description) == ["store SCRATCH <- 0x2"])
    }
}
