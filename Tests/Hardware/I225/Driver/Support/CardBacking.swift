// The two ways in which a driver test reaches its card: as a call into the model, or over a vfio-user socket. One test is
// run over both by the trait `.overEveryBacking`; what is on one thread stays so, and virtual time stays virtual.

import Backing
import Clock
import I225Model
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Testing
import VFIOUser

/// Where the card of a `Rig` is.
enum CardPlace: String, Sendable {
    case inProcess
    case behindSocket
    /// The server gets no descriptors of the driver's memory: every access of the card is a message.
    case behindSocketWithoutMemory

    @TaskLocal static var current = CardPlace.inProcess
}

/// Runs every test of a suite once for each place.
struct OverEveryBacking: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await function()
        guard testCase != nil else { return }
        try await CardPlace.$current.withValue(.behindSocket) {
            let marking = IssueHandlingTrait.compactMapIssues { issue in
                var issue = issue
                issue.comments.append("the card is behind a vfio-user socket")
                return issue
            }
            try await marking.provideScope(for: test, testCase: testCase, performing: function)
        }
    }
}

extension Trait where Self == OverEveryBacking {
    static var overEveryBacking: Self { OverEveryBacking() }
}

/// A card in either place.
enum CardBacking: PCIeBacking {
    case inProcess(InProcess<I225Model>)
    case behindSocket(VFIOUserBacking, CardServer)

    init(_ model: I225Model, name: String, census: Census) throws {
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
    func carryMemory() -> Bool {
        guard case .behindSocket(let base, let server) = self else { return false }
        let isAsked = server.takeTurn()
        let isAnswered = base.poll()
        return isAsked || isAnswered
    }

    /// Takes the card away. A server that is killed takes its card with it.
    func unplug() {
        switch self {
        case .inProcess(let base): base.unplug()
        case .behindSocket(_, let server): server.kill()
        }
    }

    var name: String {
        switch self {
        case .inProcess(let base): base.name
        case .behindSocket(let base, _): base.name
        }
    }

    var identity: PCIeIdentity {
        switch self {
        case .inProcess(let base): base.identity
        case .behindSocket(let base, _): base.identity
        }
    }

    var vectorCount: Int {
        switch self {
        case .inProcess(let base): base.vectorCount
        case .behindSocket(let base, _): base.vectorCount
        }
    }

    var canAddVectors: Bool {
        switch self {
        case .inProcess(let base): base.canAddVectors
        case .behindSocket(let base, _): base.canAddVectors
        }
    }

    func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        switch self {
        case .inProcess(let base): try base.readConfig(offset, size)
        case .behindSocket(let base, _): try base.readConfig(offset, size)
        }
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        switch self {
        case .inProcess(let base): try base.writeConfig(offset, size, value)
        case .behindSocket(let base, _): try base.writeConfig(offset, size, value)
        }
    }

    func mapBAR(_ index: Int) throws(DeviceError) -> CardBAR {
        switch self {
        case .inProcess(let base): .inProcess(try base.mapBAR(index))
        case .behindSocket(let base, _): .behindSocket(try base.mapBAR(index))
        }
    }

    func mapDMA(_ memory: borrowing SharedMemory, _ permissions: DMAPermissions) throws(DeviceError) -> DMAMapping {
        switch self {
        case .inProcess(let base): try base.mapDMA(memory, permissions)
        case .behindSocket(let base, _): try base.mapDMA(memory, permissions)
        }
    }

    func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        switch self {
        case .inProcess(let base): try base.attachVector(index, cpu: cpu)
        case .behindSocket(let base, _): try base.attachVector(index, cpu: cpu)
        }
    }

    func reset() throws(DeviceError) {
        switch self {
        case .inProcess(let base): try base.reset()
        case .behindSocket(let base, _): try base.reset()
        }
    }
}

/// A BAR of a card in either place.
enum CardBAR: RegisterAccess, Sendable {
    case inProcess(InProcessBAR<I225Model>)
    case behindSocket(VFIOUserBAR)

    func load(_ offset: UInt32) -> UInt32 {
        switch self {
        case .inProcess(let base): base.load(offset)
        case .behindSocket(let base): base.load(offset)
        }
    }

    func store(_ offset: UInt32, _ value: UInt32) {
        switch self {
        case .inProcess(let base): base.store(offset, value)
        case .behindSocket(let base): base.store(offset, value)
        }
    }

    func storeWide(_ offset: UInt32, _ value: UInt64) {
        switch self {
        case .inProcess(let base): base.storeWide(offset, value)
        case .behindSocket(let base): base.storeWide(offset, value)
        }
    }

    func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        switch self {
        case .inProcess(let base): base.load(offset, byteCount: byteCount)
        case .behindSocket(let base): base.load(offset, byteCount: byteCount)
        }
    }

    func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        switch self {
        case .inProcess(let base): base.store(offset, byteCount: byteCount, value)
        case .behindSocket(let base): base.store(offset, byteCount: byteCount, value)
        }
    }

    func together<Result>(_ body: () -> Result) -> Result {
        switch self {
        case .inProcess(let base): base.together(body)
        case .behindSocket(let base): base.together(body)
        }
    }

    func doorbell(at offset: UInt32) -> DoorbellRegister? {
        switch self {
        case .inProcess(let base): base.doorbell(at: offset)
        case .behindSocket(let base): base.doorbell(at: offset)
        }
    }
}

/// The server of a test's card. It works while its client waits, on the client's thread; the card itself only moves when
/// the test lets it.
final class CardServer: @unchecked Sendable {
    // SAFETY (Sendable): the test's one thread has both ends.
    private let model: I225Model
    private var server: VFIOUserServer<StillModel>?

    init(_ model: I225Model, _ socket: consuming OwnedDescriptor) {
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
final class StillModel: PCIeModel {
    private let base: I225Model

    init(_ base: I225Model) { self.base = base }

    func poll() -> Bool { false }

    var identity: PCIeIdentity { base.identity }
    var baseAddressRegisters: [BaseAddressRegister] { base.baseAddressRegisters }
    var vectorCount: Int { base.vectorCount }
    var host: DeviceHost { base.host }
    var mappableBARs: [MappableBAR] { base.mappableBARs }
    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { base.readConfig(offset, size) }
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) { base.writeConfig(offset, size, value) }
    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 { base.read(bar: bar, offset, size) }

    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        base.write(bar: bar, offset, size, value)
    }

    func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        base.read(bar: bar, offset, into: &bytes)
    }

    func write(bar: Int, _ offset: UInt64, from bytes: RawSpan) { base.write(bar: bar, offset, from: bytes) }
    func reset() { base.reset() }
    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { base.doorbellIndex(bar: bar, offset) }
}
