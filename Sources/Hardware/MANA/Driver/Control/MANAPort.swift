// An open port of the card: its queues are opened here, and frames are steered to them.
// Source: mana_alloc_queues, mana_dealloc_queues, mana_config_rss (mana_en.c of Linux 6.12 and 7.x).

import Backing
import Interrupts
import Leases
import MANAWire
import Memory
import XSK

/// A port under this driver. Its end stops the delivery of frames; queues that are still out then find it silent.
///
/// One control thread owns it. Queues are made here and handed to their own threads.
public struct MANAPort<Backing: PCIeBacking>: ~Copyable {
    public let index: Int
    /// The station address, first byte in the lowest bits.
    public var address: UInt64 { core.identity.address }
    /// Queue pairs that can be open at once.
    public let queueCount: Int
    let core: PortCore<Backing>
    private let vectors: QueueVectors<Backing>
    private let statistics: [QueueStatistics]
    private let steering: SteeredPort<Backing>
    private let filter: PortFilter<Backing>?
    private let hardwarePort: HardwarePort<Backing>?
    private let number: IndexLease

    init(
        _ adapter: MANAAdapter<Backing>,
        identity: PortIdentity,
        number: consuming IndexLease,
        queueCount: Int,
        vectors: QueueVectors<Backing>,
        statistics: [QueueStatistics]
    ) throws(DeviceError) {
        var hardwarePort: HardwarePort<Backing>?
        var handle = identity.handle
        if adapter.isPrivileged {
            handle = try adapter.registerHardwarePort()
            hardwarePort = HardwarePort(adapter, handle)
        }
        let transmit = try adapter.configureTransmit(handle)
        let count = min(queueCount, identity.sendQueues, identity.receiveQueues)
        let core = PortCore(adapter, handle: handle, identity: identity, transmit: transmit, queueCount: count)
        var filter: PortFilter<Backing>?
        if adapter.isPrivileged {
            filter = PortFilter(adapter, try adapter.registerFilter(handle, address: identity.address))
        }
        index = number.index
        self.queueCount = count
        self.core = core
        self.vectors = vectors
        self.statistics = statistics
        steering = SteeredPort(core)
        self.filter = filter
        self.hardwarePort = hardwarePort
        self.number = number
    }

    /// Opens the queue pair `index` for frames of a network stack.
    ///
    /// - Parameters:
    ///   - entries: of each ring, a power of two from 128 to 8192.
    ///   - bufferBytes: of every buffer provided.
    public func openQueuePair(
        _ index: Int,
        entries: Int = 1024,
        bufferBytes: Int = 2048
    ) throws(DeviceError) -> MANAQueuePair<Backing> {
        MANAQueuePair(try openQueues(index, entries: entries, bufferBytes: bufferBytes))
    }

    /// Opens the queue pair `index` for the frames of an XSK socket: its umem is mapped for the card.
    ///
    /// - Throws: `invalidArgument` if the umem's chunks are too short for a received frame.
    public func openXSKQueue(
        _ index: Int,
        _ pool: consuming XSKPool,
        entries: Int = 1024
    ) throws(DeviceError) -> MANAXSKQueue<Backing> {
        let bufferBytes = pool.umem.receiveCapacity
        let mapping = try core.adapter.hardware.backing.mapDMA(pool.umem.memory, .both)
        let queues = try openQueues(index, entries: entries, bufferBytes: bufferBytes)
        return MANAXSKQueue(
            XSKQueueState(queues, pool: pool, mapping: mapping, hardware: core.adapter.hardware)
        )
    }

    private func openQueues(
        _ index: Int,
        entries: Int,
        bufferBytes: Int
    ) throws(DeviceError) -> QueueSet<Backing> {
        guard let number = core.numbers.take(index) else {
            throw core.adapter.error(
                .noResource,
                "open queue pair \(index)",
                "it is out on loan, or no queue of \(queueCount)"
            )
        }
        return try QueueSet(
            core,
            number: number,
            vector: try vectors.take(forQueue: index),
            entries: entries,
            bufferBytes: bufferBytes,
            statistics: statistics[index]
        )
    }

    /// Spreads received frames over all queue pairs that are open now. Call it again when others have been opened; one
    /// that ends leaves the spread by itself.
    public func steer() throws(DeviceError) { try core.start() }
}

/// A port to which frames may be steered. Its end stops them.
struct SteeredPort<Backing: PCIeBacking>: ~Copyable {
    private let core: PortCore<Backing>

    init(_ core: PortCore<Backing>) { self.core = core }

    deinit { core.stop() }
}

/// A filter of a privileged driver. Its end has the card forget it.
struct PortFilter<Backing: PCIeBacking>: ~Copyable {
    private let adapter: MANAAdapter<Backing>
    private let handle: UInt64

    init(_ adapter: MANAAdapter<Backing>, _ handle: UInt64) {
        self.adapter = adapter
        self.handle = handle
    }

    deinit {
        let (adapter, handle) = (adapter, handle)
        adapter.undo { () throws(DeviceError) in try adapter.deregisterFilter(handle) }
    }
}

/// A port that a privileged driver has made. Its end has the card forget it.
struct HardwarePort<Backing: PCIeBacking>: ~Copyable {
    private let adapter: MANAAdapter<Backing>
    private let handle: UInt64

    init(_ adapter: MANAAdapter<Backing>, _ handle: UInt64) {
        self.adapter = adapter
        self.handle = handle
    }

    deinit {
        let (adapter, handle) = (adapter, handle)
        adapter.undo { () throws(DeviceError) in try adapter.deregisterHardwarePort(handle) }
    }
}
