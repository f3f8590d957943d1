// A device in another process as a `PCIeBacking`: the client's side of a vfio-user socket. Our own server, or any other.
// Source of truth: the vfio-user protocol specification; what QEMU's client and libvfio-user do where it is silent.

import Backing
import CLinux
import Clock
import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Registers

/// A vfio-user device. Any thread may use it and its views; they take turns at the socket. The connection stays as long
/// as the backing or anything that it lent.
///
/// A server that is gone, late or confused is a device that was pulled: loads read all ones, stores are dropped, and what
/// can throw says why. All waits have a limit. What the server says is checked, and nothing of it is trusted with memory of
/// this process but what was mapped for DMA.
public final class VFIOUserBacking: PCIeBacking, Sendable {
    public let name: String
    public let identity: PCIeIdentity
    public let vectorCount: Int
    public let canAddVectors: Bool
    public let census: Census
    private let path: String?
    private let function: RemoteFunction

    /// Connects to the server at `path`, which may be about to start.
    public convenience init(
        path: String,
        options: VFIOUserOptions = VFIOUserOptions(),
        census: Census
    ) throws(DeviceError) {
        let name = "vfio-user:\(path)"
        let socket = try Self.connect(path, options, name: name, "connect")
        try self.init(socket, name: name, path: path, options: options, census: census)
    }

    /// Takes over a connected socket.
    ///
    /// - Parameters:
    ///   - name: in errors.
    ///   - path: where `reconnect` finds the server; nil: nowhere.
    public init(
        _ socket: consuming OwnedDescriptor,
        name: String,
        path: String? = nil,
        options: VFIOUserOptions = VFIOUserOptions(),
        census: Census
    ) throws(DeviceError) {
        function = try RemoteFunction(socket, name: name, options)
        self.name = name
        self.path = path
        self.census = census
        identity = function.identity
        vectorCount = function.device.vectorCount
        canAddVectors = !function.device.vectorsAreFixed
    }

    private static func connect(
        _ path: String,
        _ options: VFIOUserOptions,
        name: String,
        _ operation: String
    ) throws(DeviceError) -> OwnedDescriptor {
        let start = DeviceClock.monotonic.now
        while true {
            do throws(SystemError) {
                return try UnixSocket.connect(path: path)
            } catch {
                // Not there yet, not listening any more, or no room: a server that starts anew is each in turn.
                guard [ENOENT, ECONNREFUSED, EAGAIN].contains(error.code) else {
                    throw DeviceError(.system, device: name, operation: operation, "\(error)")
                }
                guard DeviceClock.monotonic.now &- start < options.connectNanoseconds else {
                    let limit = options.connectNanoseconds / 1_000_000
                    throw DeviceError(
                        .timedOut,
                        device: name,
                        operation: operation,
                        "no server for \(limit) ms: \(error)"
                    )
                }
            }
            options.whileWaiting?()
            DeviceClock.monotonic.wait(nanoseconds: 1_000_000)
        }
    }

    /// Whether the server answers, as far as is known.
    public var isConnected: Bool { function.presence.isAnswering }
    public var counters: VFIOUserClientCounters { function.counters }

    /// Connects anew to a server that kept the device's state, and goes on: views, mappings and vectors stay what they are.
    /// A server that has another device is refused. Whoever uses a view meanwhile waits.
    public func reconnect() throws(DeviceError) {
        guard let path else { throw error(.invalidArgument, "reconnect", "the socket was made by somebody else") }
        function.disconnect()
        try function.reconnect(try Self.connect(path, function.options, name: name, "reconnect"))
    }

    /// The same over a socket that is connected already.
    public func reconnect(over socket: consuming OwnedDescriptor) throws(DeviceError) {
        try function.reconnect(socket)
    }

    // MARK: PCIeBacking

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try checkConfigAccess("read config space", size)
        return function.readConfig(offset, size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try checkConfigAccess("write config space", size)
        function.writeConfig(offset, size, value)
    }

    public func mapBAR(_ index: Int) throws(DeviceError) -> VFIOUserBAR {
        guard let view = try function.view(index) else {
            throw error(.invalidArgument, "map BAR", "no BAR \(index)")
        }
        return view
    }

    public func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping {
        let byteCount = memory.byteCount
        // SAFETY: the lease's holder keeps the memory mapped until `unmapDMA` has returned.
        let iova = unsafe try function.mapDMA(
            memory.base,
            byteCount: byteCount,
            permissions,
            file: memory.fileDescriptor
        )
        return DMAMapping(iova: iova, byteCount: byteCount, unmapper: function, mark: census.mark("DMA mapping"))
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        guard index >= 0, index < vectorCount else {
            throw error(.invalidArgument, "attach vector", "vector \(index) of \(vectorCount)")
        }
        let cell: InterruptCell
        do throws(RemoteFunction.VectorRefusal) {
            cell = try function.attachVector(index)
        } catch {
            switch error {
            case .attached: throw self.error(.noResource, "attach vector", "vector \(index) is attached")
            case .failed(let error): throw error
            }
        }
        return InterruptLease(index: index, cell: cell, detacher: function, mark: census.mark("interrupt vector"))
    }

    public func reset() throws(DeviceError) {
        guard function.device.canReset else { throw error(.refused, "reset", "the server has no DEVICE_RESET") }
        try function.reset()
    }

    private func error(_ code: DeviceError.Code, _ operation: String, _ detail: String) -> DeviceError {
        DeviceError(code, device: name, operation: operation, detail)
    }
}

/// A polling loop serves what the server asks by message (DMA_READ and DMA_WRITE) while no thread waits for it.
extension VFIOUserBacking: Pollable {
    public func poll() -> Bool { function.serveArrivals() }
    public var wakeDescriptors: [Int32] { function.serviceDescriptor.map { [$0] } ?? [] }
}
