// A virtual GPU with its BARs on, and a clock that moves when it is told to.

import Backing
import Clock
import GraceHopperModel
import GraceHopperWire
import Interrupts
import Memory
import PCIe
import Simulation

struct Rig {
    let clock = VirtualClock()
    let model: GraceHopperModel

    /// - Parameter change: of the options; the memory is 4 GiB where it says nothing.
    init(_ change: (inout GraceHopperOptions) -> Void = { _ in }) throws {
        var options = GraceHopperOptions()
        options.memory.byteCount = 4 << 30
        change(&options)
        model = try GraceHopperModel(options: options, clock: .virtual(clock))
        switchOn()
    }

    func switchOn() {
        model.assignBARs()
        model.writeConfig(ConfigSpace.Offset.command, .word, 0x6)
    }

    func load(_ offset: UInt32) -> UInt32 { UInt32(model.read(bar: 0, UInt64(offset), .doubleWord)) }
    func store(_ offset: UInt32, _ value: UInt32) { model.write(bar: 0, UInt64(offset), .doubleWord, UInt64(value)) }

    /// What the device's memory holds at `offset`.
    func memory(_ offset: Int, count: Int = 8) -> [UInt8] {
        // SAFETY: tests ask inside the memory.
        unsafe (model.physicalMemory?.bytes).map { bytes in unsafe Array(bytes[offset..<offset + count]) } ?? []
    }
}
