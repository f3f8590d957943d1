// BAR 0 word by word. Source: NVIDIA's published headers for gh100, and Linux nvgrace-gpu for readiness.

import Backing
import Clock
import GraceHopperWire
import PCIe
import Registers

extension GraceHopperModel {
    /// A register at a multiple of 4; nil: there is none.
    func readRegister(_ offset: UInt32) -> UInt32? {
        switch offset {
        case IdentityRegisters.boot:
            // Implementation 0 is the whole chip.
            return ChipIdentity.with {
                $0[ChipIdentity.architecture] = options.part.architecture
                $0[ChipIdentity.revision] = UInt32(GraceHopperPart.revision)
            }.raw
        case IdentityRegisters.bootExtended:
            return ExtendedChipIdentity.with {
                $0[ExtendedChipIdentity.architecture] = options.part.architecture
                $0[ExtendedChipIdentity.revision] = UInt32(GraceHopperPart.revision)
            }.raw
        case ReadinessRegisters.linkState: return readiness(&link)
        case ReadinessRegisters.memoryTraining: return readiness(&memoryTraining)
        default: break
        }
        if let place = Self.place(offset, in: GraceHopper.msixTableOffset, vectors.tableByteCount) {
            return vectors.read(tableOffset: place)
        }
        if let place = Self.place(offset, in: GraceHopper.msixPendingOffset, vectors.pendingByteCount) {
            return vectors.read(pendingOffset: place)
        }
        return interrupts.read(offset)
    }

    /// Writes a register at a multiple of 4; whether there is one. What is only read stays as it is.
    @discardableResult
    func writeRegister(_ offset: UInt32, _ value: UInt32) -> Bool {
        switch offset {
        case IdentityRegisters.boot, IdentityRegisters.bootExtended, ReadinessRegisters.linkState,
            ReadinessRegisters.memoryTraining:
            return true
        default: break
        }
        if let place = Self.place(offset, in: GraceHopper.msixTableOffset, vectors.tableByteCount) {
            if let vector = vectors.write(tableOffset: place, value) { send(vector) }
            return true
        }
        guard Self.place(offset, in: GraceHopper.msixPendingOffset, vectors.pendingByteCount) == nil else {
            return true
        }
        guard let subtrees = interrupts.write(offset, value) else { return false }
        send(subtrees: subtrees)
        return true
    }

    /// Parts that tell it in CXL's capability have nothing in the registers.
    private func readiness(_ state: inout ReadinessState) -> UInt32 {
        guard cxlCapability == nil else { return 0 }
        return state.look(now: host.clock.now) ? ReadinessRegisters.ready : 0
    }

    private static func place(_ offset: UInt32, in base: UInt32, _ byteCount: Int) -> Int? {
        let place = Int(offset &- base)
        return place < byteCount ? place : nil
    }
}
