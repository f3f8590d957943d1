// One end of the wire: a virtual I225, our driver on it, and the buffers, all on the thread that makes it. The thread
// polls driver and model in turns, as one core does that runs both.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import Leases
import Memory

/// A card with its driver and DMA buffers.
@safe struct Station: ~Copyable {
    static let bufferBytes = 2048
    /// Descriptors of a ring, and buffers: four bursts. With more the buffers of long frames leave the cache: 1024 cost
    /// a tenth of the rate.
    static let entries = 128

    let model: I225Model
    let card: I225Device<InProcess<I225Model>>
    let iova: UInt64
    // SAFETY: `buffers` keeps it, with `entries * bufferBytes` bytes.
    let memory: UnsafeMutableRawPointer
    private let buffers: DMABuffer

    /// Brings the card up; the buffers are the device's to read and to write.
    init(_ port: consuming WirePort, name: String) throws {
        var options = I225Options()
        options.autonegotiationNanoseconds = 0
        let census = Census()
        let model = I225Model(options: options, port: port, clock: .monotonic)
        let backing = InProcess(model, name: name, census: census)
        var configuration = I225Configuration()
        // What a poll mode driver of DPDK has by default: neither hashes nor checksums.
        configuration.hashesReceived = false
        configuration.checksReceivedSums = false
        let card = try I225Device(backing, configuration, clock: .monotonic, census: census)
        let buffers = try backing.allocateDMA(
            byteCount: Self.bufferBytes * Self.entries,
            .both,
            purpose: "frames"
        )
        self.model = model
        self.card = card
        iova = buffers.iova
        unsafe memory = buffers.base
        self.buffers = buffers
    }
}
