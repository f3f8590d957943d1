// A function that loses its state in D3hot, and whose reset and configuration space can be made to fail. Every other call
// goes to the function underneath.

import Backing
import GraceHopperModel
import Interrupts
import Memory
import PCIe
import Registers

/// Over the function in this process.
final class ForgetfulBacking: PCIeBacking, @unchecked Sendable {
    // SAFETY (Sendable): changed by the test's one thread, while no other is in it.
    private let base: InProcess<GraceHopperModel>
    /// The place of the byte with the power state.
    static let powerState: UInt16 = 0x44
    /// While it is set, `reset` fails.
    var refusesReset = false
    /// Runs in the midst of a reset.
    var whileResetting: () -> Void = {}
    /// Writes to this offset and above fail.
    var failsWritesFrom: UInt16 = .max
    /// Reads of configuration space that may still succeed.
    var readsLeft = Int.max

    init(_ base: InProcess<GraceHopperModel>) { self.base = base }

    var name: String { base.name }
    var identity: PCIeIdentity { base.identity }
    var vectorCount: Int { base.vectorCount }
    var canAddVectors: Bool { base.canAddVectors }

    private func failure(_ operation: String) -> DeviceError {
        DeviceError(.injected, device: name, operation: operation, "as the test wants it")
    }

    func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        guard readsLeft > 0 else { throw failure("read config space") }
        readsLeft -= 1
        let value = try base.readConfig(offset, size)
        // Bit 3 would say that D3hot keeps the state.
        let place = Self.powerState
        guard offset <= place, Int(place - offset) < size.rawValue else { return value }
        return value & ~(8 << UInt32(8 * (place - offset)))
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        guard offset < failsWritesFrom else { throw failure("write config space") }
        let before = try base.readConfig(Self.powerState, .byte)
        try base.writeConfig(offset, size, value)
        let after = try base.readConfig(Self.powerState, .byte)
        if before & 3 == 3, after & 3 == 0 { try base.reset() }
    }

    func mapBAR(_ index: Int) throws(DeviceError) -> InProcessBAR<GraceHopperModel> { try base.mapBAR(index) }

    func mapDMA(_ memory: borrowing SharedMemory, _ permissions: DMAPermissions) throws(DeviceError) -> DMAMapping {
        try base.mapDMA(memory, permissions)
    }

    func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        try base.attachVector(index, cpu: cpu)
    }

    func reset() throws(DeviceError) {
        guard !refusesReset else { throw failure("reset") }
        whileResetting()
        try base.reset()
    }
}
