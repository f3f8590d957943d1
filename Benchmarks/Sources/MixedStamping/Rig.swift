// A virtual I225 on a thread of its own, our driver on it, and a socket's queue for the program on this thread.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import Leases
import Memory
import XSK

/// Everything that one stamp delay is measured on.
struct Rig: ~Copyable {
    static let chunkBytes = 4096
    static let chunks = 1024
    /// Room in front of a frame for a request, an answer and Doorbell's status word.
    static let metadataBytes = 32

    // In the order in which they end: the queue and the card before the thread that answers them.
    var queue: XSKQueue<InProcess<I225Model>>
    private let card: I225Device<InProcess<I225Model>>
    var program: XSKProgram
    private let thread: ModelThread

    init(stampDelayNanoseconds: UInt64, modelCPU: Int) throws {
        var options = I225Options()
        options.autonegotiationNanoseconds = 0
        options.stampDelayNanoseconds = stampDelayNanoseconds
        let census = Census()
        let thread = ModelThread(options, cpu: modelCPU)
        let backing = InProcess(thread.model, name: "i225", loop: thread.loop, census: census)
        let card = try I225Device(backing, I225Configuration(), clock: .monotonic, census: census)
        let byteCount = Self.chunkBytes * Self.chunks
        let umem = try UMEM(
            memory: SharedMemory(byteCount: byteCount, name: "doorbell-umem"),
            UMEMRegistration(
                byteCount: UInt64(byteCount),
                chunkSize: UInt32(Self.chunkBytes),
                flags: .transmitMetadataLength,
                transmitMetadataLength: UInt32(Self.metadataBytes)
            )
        )
        let socket = try XSKSocket(umem: umem, rings: XSKRingSizes(), census: census)
        let program = try socket.takeProgram()
        let queue = try card.openXSKQueue(0, socket.takePool())
        self.queue = queue
        self.card = card
        self.program = program
        self.thread = thread
    }
}

/// The card's thread; it stops with its last owner.
private final class ModelThread {
    let model: I225Model
    let loop: PollingLoop

    init(_ options: I225Options, cpu: Int) {
        var sink: FrameSink?
        var model: I225Model?
        WirePair().split { near, far in
            model = I225Model(options: options, port: near, clock: .monotonic)
            sink = FrameSink(far)
        }
        guard let model, let sink else { preconditionFailure("split calls its body") }
        self.model = model
        loop = PollingLoop([model, sink], cpu: cpu)
    }

    deinit { loop.stop() }
}
