// The server of a card that a test reaches over a socket.

import Backing
import Clock
import Memory
import PCIe
import VFIOUser

/// The server of a test's card. It works while its client waits, on the client's thread; the card itself only moves when
/// the test lets it.
public final class CardServer<Model: PCIeModel & SendableMetatype>: @unchecked Sendable {
    // SAFETY (Sendable): the test's one thread has both ends.
    private let model: Model
    private var server: VFIOUserServer<StillModel<Model>>?

    init(_ model: Model, _ socket: consuming OwnedDescriptor) {
        self.model = model
        server = VFIOUserServer(StillModel(model), connection: socket)
    }

    func takeTurn() -> Bool { server?.poll() ?? false }

    /// Ends as a killed process does: its socket closes, what it had mapped is gone, and so is its device.
    func kill() {
        server = nil
        model.reset()
        _ = try? model.host.memory.unmap(everythingIn: 0 ... .max)
        for index in 0..<model.vectorCount { model.host.route(index, to: nil) }
    }
}

/// A card that makes no progress of its own when its server polls it.
public final class StillModel<Base: PCIeModel & SendableMetatype>: PCIeModel {
    private let base: Base

    public init(_ base: Base) { self.base = base }

    public func poll() -> Bool { false }

    public var identity: PCIeIdentity { base.identity }
    public var baseAddressRegisters: [BaseAddressRegister] { base.baseAddressRegisters }
    public var vectorCount: Int { base.vectorCount }
    public var host: DeviceHost { base.host }
    public var mappableBARs: [MappableBAR] { base.mappableBARs }
    public func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { base.readConfig(offset, size) }
    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        base.writeConfig(offset, size, value)
    }
    public func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 { base.read(bar: bar, offset, size) }

    public func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        base.write(bar: bar, offset, size, value)
    }

    public func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        base.read(bar: bar, offset, into: &bytes)
    }

    public func write(bar: Int, _ offset: UInt64, from bytes: RawSpan) { base.write(bar: bar, offset, from: bytes) }
    public func reset() { base.reset() }
    public func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { base.doorbellIndex(bar: bar, offset) }
}
