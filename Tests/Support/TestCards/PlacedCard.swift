// A test's card where the test wants it: in this process, or behind a vfio-user socket with its server on the same thread.

import Backing
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import VFIOUser

/// A card in either place.
public enum PlacedCard<Model: PCIeModel & SendableMetatype>: PCIeBacking {
    case inProcess(InProcess<Model>)
    case behindSocket(VFIOUserBacking, CardServer<Model>)

    public init(_ model: Model, name: String, census: Census) throws {
        switch CardPlace.current {
        case .inProcess: self = .inProcess(InProcess(model, name: name, census: census))
        case .behindSocket, .behindSocketWithoutMemory:
            let pair = try UnixSocket.pair()
            let server = CardServer(model, pair.second)
            var options = VFIOUserOptions()
            options.whileWaiting = { _ = server.takeTurn() }
            options.sharesMemory = CardPlace.current == .behindSocket
            self = .behindSocket(
                try VFIOUserBacking(pair.first, name: name, options: options, census: census),
                server
            )
        }
    }

    /// Carries what the card asks of memory that it has no descriptor of, and the answers; whether there was something.
    public func carryMemory() -> Bool {
        guard case .behindSocket(let base, let server) = self else { return false }
        let isAsked = server.takeTurn()
        let isAnswered = base.poll()
        return isAsked || isAnswered
    }

    /// Takes the card away. A server that is killed takes its card with it.
    public func unplug() {
        switch self {
        case .inProcess(let base): base.unplug()
        case .behindSocket(_, let server): server.kill()
        }
    }

    public var name: String {
        switch self {
        case .inProcess(let base): base.name
        case .behindSocket(let base, _): base.name
        }
    }

    public var identity: PCIeIdentity {
        switch self {
        case .inProcess(let base): base.identity
        case .behindSocket(let base, _): base.identity
        }
    }

    public var vectorCount: Int {
        switch self {
        case .inProcess(let base): base.vectorCount
        case .behindSocket(let base, _): base.vectorCount
        }
    }

    public var canAddVectors: Bool {
        switch self {
        case .inProcess(let base): base.canAddVectors
        case .behindSocket(let base, _): base.canAddVectors
        }
    }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        switch self {
        case .inProcess(let base): try base.readConfig(offset, size)
        case .behindSocket(let base, _): try base.readConfig(offset, size)
        }
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        switch self {
        case .inProcess(let base): try base.writeConfig(offset, size, value)
        case .behindSocket(let base, _): try base.writeConfig(offset, size, value)
        }
    }

    public func mapBAR(_ index: Int) throws(DeviceError) -> PlacedBAR<Model> {
        switch self {
        case .inProcess(let base): .inProcess(try base.mapBAR(index))
        case .behindSocket(let base, _): .behindSocket(try base.mapBAR(index))
        }
    }

    public func mapDMA(_ memory: borrowing SharedMemory, _ permissions: DMAPermissions) throws(DeviceError)
        -> DMAMapping
    {
        switch self {
        case .inProcess(let base): try base.mapDMA(memory, permissions)
        case .behindSocket(let base, _): try base.mapDMA(memory, permissions)
        }
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        switch self {
        case .inProcess(let base): try base.attachVector(index, cpu: cpu)
        case .behindSocket(let base, _): try base.attachVector(index, cpu: cpu)
        }
    }

    public func reset() throws(DeviceError) {
        switch self {
        case .inProcess(let base): try base.reset()
        case .behindSocket(let base, _): try base.reset()
        }
    }
}

/// A BAR of a card in either place.
public enum PlacedBAR<Model: PCIeModel & SendableMetatype>: RegisterAccess, Sendable {
    case inProcess(InProcessBAR<Model>)
    case behindSocket(VFIOUserBAR)

    public func load(_ offset: UInt32) -> UInt32 {
        switch self {
        case .inProcess(let base): base.load(offset)
        case .behindSocket(let base): base.load(offset)
        }
    }

    public func store(_ offset: UInt32, _ value: UInt32) {
        switch self {
        case .inProcess(let base): base.store(offset, value)
        case .behindSocket(let base): base.store(offset, value)
        }
    }

    public func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        switch self {
        case .inProcess(let base): base.load(offset, byteCount: byteCount)
        case .behindSocket(let base): base.load(offset, byteCount: byteCount)
        }
    }

    public func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        switch self {
        case .inProcess(let base): base.store(offset, byteCount: byteCount, value)
        case .behindSocket(let base): base.store(offset, byteCount: byteCount, value)
        }
    }

    public func storeWide(_ offset: UInt32, _ value: UInt64) {
        switch self {
        case .inProcess(let base): base.storeWide(offset, value)
        case .behindSocket(let base): base.storeWide(offset, value)
        }
    }

    public func together<Result>(_ body: () -> Result) -> Result {
        switch self {
        case .inProcess(let base): base.together(body)
        case .behindSocket(let base): base.together(body)
        }
    }

    public func doorbell(at offset: UInt32) -> DoorbellRegister? {
        switch self {
        case .inProcess(let base): base.doorbell(at: offset)
        case .behindSocket(let base): base.doorbell(at: offset)
        }
    }
}
