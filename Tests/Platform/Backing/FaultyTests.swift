// Faults as a plan: every step of a bring-up fails once, the device disappears at every access, bits are stuck.

import Backing
import Clock
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Simulation
import Testing

/// A bring-up that uses every operation that can fail; whatever it took is given back when it returns or throws.
private func bringUp(_ backing: some PCIeBacking) throws {
    try backing.reset()
    let command = try backing.readConfig(ConfigSpace.Offset.command, .word)
    try backing.writeConfig(ConfigSpace.Offset.command, .word, command | 4)
    let bar = try backing.mapBAR(0)
    let ring = try backing.allocateDMA(byteCount: 4096, .both, purpose: "ring")
    let buffers = try backing.allocateDMA(byteCount: 8192, .both, purpose: "buffers")
    let first = try backing.attachVector(0, cpu: nil)
    let second = try backing.attachVector(1, cpu: nil)
    bar.write(ScratchRegister.source[0], UInt32(truncatingIfNeeded: ring.iova))
    bar.write(ScratchRegister.destination[0], UInt32(truncatingIfNeeded: buffers.iova))
    #expect(first.firedCount == 0 && second.firedCount == 0)
}

@Suite struct FaultyTests {
    private let census = Census()

    private func faulty(_ plan: FaultPlan) throws -> (Faulty<InProcess<ScratchDevice>>, ScratchDevice) {
        let device = try ScratchDevice(clock: .monotonic)
        return (Faulty(InProcess(device, name: "in-process:scratch", census: census), plan: plan), device)
    }

    @Test func everyStepThatFailsLeavesNothingOnLoan() throws {
        let (whole, _) = try faulty(FaultPlan())
        try bringUp(whole)
        let steps = whole.stepCount
        #expect(steps == 8)

        for step in 0..<steps {
            let (backing, device) = try faulty(FaultPlan(failAtStep: step))
            let error = try #require(throws: DeviceError.self) { try bringUp(backing) }
            #expect(error.code == .injected)
            #expect(error.detail == "step \(step) was told to fail")
            #expect(backing.stepCount == step + 1, "nothing was tried after the failure")
            #expect(census.outstanding.isEmpty, "step \(step)")
            #expect(device.host.memory.mappingCount == 0)
            #expect(!device.host.isRouted(0) && !device.host.isRouted(1))
        }
        let (beyond, _) = try faulty(FaultPlan(failAtStep: steps))
        try bringUp(beyond)
    }

    /// The device is there for `removal` accesses and gone from then on, for config space and resets as well.
    @Test(arguments: 0..<6)
    func aRemovedDeviceReadsAllOnes(removal: Int) throws {
        let (backing, device) = try faulty(FaultPlan(removeAtAccess: removal))
        let bar = try backing.mapBAR(0)
        for access in 0..<6 {
            bar.write(ScratchRegister.scratch, UInt32(access))
            let isPresent = access * 2 + 1 < removal
            #expect(bar.read(ScratchRegister.scratch).raw == (isPresent ? UInt32(access) : 0xFFFF_FFFF))
        }
        #expect(backing.accessCount == 12)
        #expect(try backing.readConfig(0, .word) == 0xFFFF)
        try backing.writeConfig(0x3C, .byte, 9)
        #expect(device.readConfig(0x3C, .byte) == 0)
        let error = try #require(throws: DeviceError.self) { try backing.reset() }
        #expect(error.code == .deviceGone)
        #expect(device.resets == 0)
    }

    @Test func stuckBitsReadAsThePlanSaysAndOthersAreFree() throws {
        let offset = ScratchRegister.scratch.offset
        let (backing, _) = try faulty(
            FaultPlan(stuck: [
                .init(offset: offset, mask: 0x0000_00FF, value: 0x0000_00A5),
                .init(offset: offset, mask: 0x8000_0000, value: 0),
            ])
        )
        let bar = try backing.mapBAR(0)
        for value in [UInt32(0), 0xFFFF_FFFF, 0x1234_5678] {
            bar.write(ScratchRegister.scratch, value)
            #expect(bar.read(ScratchRegister.scratch).raw == value & 0x7FFF_FF00 | 0xA5)
        }
        #expect(bar.read(ScratchRegister.magic).raw == ScratchRegister.magicValue)
    }

    @Test func doorbellsTakeTheWayThatCanBeFaulted() throws {
        let (backing, _) = try faulty(FaultPlan())
        #expect(try backing.mapBAR(0).doorbell(at: ScratchRegister.tail.offset) == nil)
    }
}
