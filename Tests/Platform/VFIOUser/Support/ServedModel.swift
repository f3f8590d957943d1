// A model behind a server and a client, as if it were one: whatever is tried on a model can be tried through the protocol.
// All of it is on one thread, so that a run repeats.

import Backing
import Clock
import Glibc
import PCIe
import VFIOUser

/// A model, its server, and a client that has negotiated.
public final class ServedModel<Model: PCIeModel>: PCIeModel {
    public let model: Model
    public let server: VFIOUserServer<Model>
    public let client: RawClient
    /// The second socket, if the client offered to have one.
    public let twin: RawClient?
    private var doorbells: [Int: [UInt64: Int]] = [:]

    public init(
        _ model: Model,
        options: VFIOUserServerOptions = VFIOUserServerOptions(),
        capabilities change: (inout VersionCapabilities) -> Void = { _ in },
        log: @escaping (String) -> Void = { _ in }
    ) throws {
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(model, connection: pair.first, options: options, log: log)
        self.model = model
        self.server = server
        client = RawClient(pair.second) { _ = server.poll() }
        let agreed = try client.negotiate(change)
        twin = agreed.capabilities?.twinSocket?.descriptorIndex.flatMap { [client] in client.takeTwin(Int($0)) }
    }

    public var identity: PCIeIdentity { model.identity }
    public var baseAddressRegisters: [BaseAddressRegister] { model.baseAddressRegisters }
    public var vectorCount: Int { model.vectorCount }
    public var host: DeviceHost { model.host }

    /// What cannot be asked for reads all ones, as a host answers a guest.
    private func readRegion(_ region: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard let data = try? client.read(region: region, offset, count: size.rawValue) else { return size.allOnes }
        return integer(data)
    }

    private func writeRegion(_ region: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        let data = (0..<size.rawValue).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        try? client.write(region: region, offset, data)
    }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 {
        readRegion(Region.config, UInt64(offset), size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        writeRegion(Region.config, UInt64(offset), size, value)
    }

    public func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard (0..<6).contains(bar) else { return size.allOnes }
        return readRegion(bar, offset, size)
    }

    public func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard (0..<6).contains(bar) else { return }
        writeRegion(bar, offset, size, value)
    }

    public func reset() { _ = try? client.ask(.resetDevice) }

    public func poll() -> Bool { server.poll() }

    public func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? {
        guard (0..<6).contains(bar) else { return nil }
        if doorbells[bar] == nil { doorbells[bar] = askForDoorbells(bar) }
        return doorbells[bar]?[offset]
    }

    /// Asks twice: how much room the answer needs, and for the answer.
    private func askForDoorbells(_ bar: Int) -> [UInt64: Int] {
        func ask(_ room: UInt32) -> [UInt8] {
            let reply = try? client.ask(.getRegionIODescriptors) {
                IODescriptorsRequest(argumentSize: room, index: UInt32(bar)).write(to: &$0)
            }
            return reply ?? []
        }
        guard let head = try? IODescriptorsRequest(ask(16).raw) else { return [:] }
        let entries = Array(ask(head.argumentSize).dropFirst(IODescriptorsRequest.byteCount))
        var found: [UInt64: Int] = [:]
        for start in stride(from: 0, to: entries.count, by: ShadowedSubregion.byteCount) {
            let entry = Array(entries[start...].prefix(ShadowedSubregion.byteCount))
            guard let subregion = try? ShadowedSubregion(entry.raw) else { continue }
            // The words are a cache line apart, behind one that says whether the server sleeps.
            found[subregion.offset] = Int(subregion.memoryOffset / 64) - 1
        }
        return found
    }
}
