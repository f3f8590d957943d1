// Rounds of the I225's loops.

import CReference

/// Descriptors: not a power of two, as the hardware allows any multiple of 8.
let i225RingEntries = 1000

/// Runs one round on `shared`.
func runI225Round(
    _ language: Language,
    _ direction: Direction,
    _ shape: LoopShape,
    _ shared: borrowing SharedRing
) -> RoundResult {
    // SAFETY (whole function): the C loops and the device use `shared`, which outlives this call.
    let inC = unsafe shared.inC
    var device = unsafe creference_device()
    unsafe creference_device_reset(&device, inC)
    let bursts = UInt32(shape.burstsPerLap)
    let totals: LapTotals
    switch (direction, language) {
    case (.transmit, .swift):
        var loop = TransmitLoop(shared, iova: shape.iova, buffers: shape.buffers)
        totals = timeLaps(shape.laps) {
            loop.swiftTransmitLap(bursts: shape.burstsPerLap, length: shape.frameBytes)
        } device: {
            unsafe creference_device_transmit(&device, shape.frameBytes)
        }
    case (.transmit, .c):
        let loop = unsafe creference_transmit_create(inC, shape.iova, UInt32(shape.buffers))
        totals = timeLaps(shape.laps) {
            unsafe creference_transmit_lap(loop, bursts, shape.frameBytes)
        } device: {
            unsafe creference_device_transmit(&device, shape.frameBytes)
        }
        unsafe creference_transmit_destroy(loop)
    case (.receive, .swift):
        var loop = ReceiveLoop(shared, iova: shape.iova, buffers: shape.buffers)
        totals = timeLaps(shape.laps) {
            loop.swiftReceiveLap(bursts: shape.burstsPerLap)
        } device: {
            unsafe creference_device_receive(&device, shape.frameBytes)
        }
    case (.receive, .c):
        let loop = unsafe creference_receive_create(inC, shape.iova, UInt32(shape.buffers))
        totals = timeLaps(shape.laps) {
            unsafe creference_receive_lap(loop, bursts)
        } device: {
            unsafe creference_device_receive(&device, shape.frameBytes)
        }
        unsafe creference_receive_destroy(loop)
    }
    let work = unsafe Work(
        volume: totals.volume,
        completed: device.completed,
        errors: device.errors,
        digest: device.digest
    )
    return RoundResult(nanosecondsPerPacket: Double(totals.nanoseconds) / shape.packets, work: work)
}
