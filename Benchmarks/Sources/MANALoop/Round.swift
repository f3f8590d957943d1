// One round of one language: laps of the driver, timed, and the device between them, not timed.

import CReference
import Measure

/// The size of the measurement: Linux's rings of a default queue.
struct LoopShape {
    /// Basic units of the work ring, completions: powers of two.
    var units = 512
    var entries = 512
    var buffers = 1024
    /// Bursts of 32 between two turns of the device: they fill the ring.
    var burstsPerLap = 16
    var frameBytes: UInt32 = 64
    var bufferBytes = 2048
    var laps = 4000
    var iova: UInt64 = 0x1_0000_0000
    var queue: UInt32 = 0x1403
    var completionQueue: UInt32 = 0x77
    var memoryKey: UInt32 = 0x55

    var packets: Double { Double(laps * burstsPerLap * 32) }
}

/// Runs one round on `shared`.
func runRound(_ language: Language, _ direction: Direction, _ shared: borrowing SharedRings) -> RoundResult {
    let shape = shared.shape
    var device = unsafe creference_mana_device()
    unsafe creference_mana_device_reset(&device, shared.inC)
    var nanoseconds: UInt64 = 0
    var volume: UInt64 = 0
    let bursts = UInt32(shape.burstsPerLap)

    // SAFETY: the C loop and the device use `shared`, which outlives this call.
    switch (direction, language) {
    case (.transmit, .swift):
        var loop = TransmitLoop(shared)
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += loop.swiftTransmitLap(bursts: shape.burstsPerLap, length: shape.frameBytes)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_mana_device_transmit(&device, shape.frameBytes)
        }
    case (.transmit, .c):
        let loop = unsafe creference_mana_transmit_create(shared.inC, shape.iova, UInt32(shape.buffers))
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += unsafe creference_mana_transmit_lap(loop, bursts, shape.frameBytes)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_mana_device_transmit(&device, shape.frameBytes)
        }
        unsafe creference_mana_transmit_destroy(loop)
    case (.receive, .swift):
        var loop = ReceiveLoop(shared)
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += loop.swiftReceiveLap(bursts: shape.burstsPerLap)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_mana_device_receive(&device, shape.frameBytes)
        }
    case (.receive, .c):
        let loop = unsafe creference_mana_receive_create(
            shared.inC,
            shape.iova,
            UInt32(shape.buffers),
            UInt32(shape.bufferBytes)
        )
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += unsafe creference_mana_receive_lap(loop, bursts)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_mana_device_receive(&device, shape.frameBytes)
        }
        unsafe creference_mana_receive_destroy(loop)
    }
    let work = unsafe Work(
        volume: volume,
        completed: device.completed,
        errors: device.errors,
        digest: device.digest
    )
    return RoundResult(nanosecondsPerPacket: Double(nanoseconds) / shape.packets, work: work)
}
