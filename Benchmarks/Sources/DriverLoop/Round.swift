// One round of one language: laps of the driver, timed, and the device between them, not timed.

import CReference
import Measure

/// The size of the measurement.
struct LoopShape {
    /// Descriptors: not a power of two, as the hardware allows any multiple of 8.
    var entries = 1000
    var buffers = 1024
    /// Bursts of 32 between two turns of the device. All of them fit the ring.
    var burstsPerLap = 16
    var frameBytes: UInt32 = 64
    var laps = 4000
    var iova: UInt64 = 0x1_0000_0000

    var packets: Double { Double(laps * burstsPerLap * 32) }
}

/// Runs one round on `shared`.
func runRound(
    _ language: Language,
    _ direction: Direction,
    _ shape: LoopShape,
    _ shared: borrowing SharedRing
) -> RoundResult {
    var device = unsafe creference_device()
    unsafe creference_device_reset(&device, shared.inC)
    var nanoseconds: UInt64 = 0
    var volume: UInt64 = 0
    let bursts = UInt32(shape.burstsPerLap)

    // SAFETY: the C loop and the device use `shared`, which outlives this call.
    switch (direction, language) {
    case (.transmit, .swift):
        var loop = TransmitLoop(shared, iova: shape.iova, buffers: shape.buffers)
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += loop.swiftTransmitLap(bursts: shape.burstsPerLap, length: shape.frameBytes)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_device_transmit(&device, shape.frameBytes)
        }
    case (.transmit, .c):
        let loop = unsafe creference_transmit_create(shared.inC, shape.iova, UInt32(shape.buffers))
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += unsafe creference_transmit_lap(loop, bursts, shape.frameBytes)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_device_transmit(&device, shape.frameBytes)
        }
        unsafe creference_transmit_destroy(loop)
    case (.receive, .swift):
        var loop = ReceiveLoop(shared, iova: shape.iova, buffers: shape.buffers)
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += loop.swiftReceiveLap(bursts: shape.burstsPerLap)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_device_receive(&device, shape.frameBytes)
        }
    case (.receive, .c):
        let loop = unsafe creference_receive_create(shared.inC, shape.iova, UInt32(shape.buffers))
        for _ in 0..<shape.laps {
            let start = monotonicNanoseconds()
            volume += unsafe creference_receive_lap(loop, bursts)
            nanoseconds += monotonicNanoseconds() - start
            unsafe creference_device_receive(&device, shape.frameBytes)
        }
        unsafe creference_receive_destroy(loop)
    }
    let work = unsafe Work(
        volume: volume,
        completed: device.completed,
        errors: device.errors,
        digest: device.digest
    )
    return RoundResult(nanosecondsPerPacket: Double(nanoseconds) / shape.packets, work: work)
}
