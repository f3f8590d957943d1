// Rounds of the MANA's loops.

import CReference

/// Basic units of the work ring, and bytes of a receive buffer.
let manaRingUnits = 1024
let manaBufferBytes: UInt32 = 2048

/// Runs one round on `shared`.
func runMANARound(
    _ language: Language,
    _ direction: Direction,
    _ shape: LoopShape,
    _ shared: borrowing SharedMANARings
) -> RoundResult {
    // SAFETY (whole function): the C loops and the device use `shared`, which outlives this call.
    let inC = unsafe shared.inC
    var device = unsafe creference_mana_device()
    unsafe creference_mana_device_reset(&device, inC)
    let bursts = UInt32(shape.burstsPerLap)
    let totals: LapTotals
    switch (direction, language) {
    case (.transmit, .swift):
        var loop = MANATransmitLoop(shared, iova: shape.iova, buffers: shape.buffers)
        totals = timeLaps(shape.laps) {
            loop.swiftMANATransmitLap(bursts: shape.burstsPerLap, length: shape.frameBytes)
        } device: {
            unsafe creference_mana_device_transmit(&device, shape.frameBytes)
        }
    case (.transmit, .c):
        let loop = unsafe creference_mana_transmit_create(inC, shape.iova, UInt32(shape.buffers))
        totals = timeLaps(shape.laps) {
            unsafe creference_mana_transmit_lap(loop, bursts, shape.frameBytes)
        } device: {
            unsafe creference_mana_device_transmit(&device, shape.frameBytes)
        }
        unsafe creference_mana_transmit_destroy(loop)
    case (.receive, .swift):
        var loop = MANAReceiveLoop(shared, iova: shape.iova, buffers: shape.buffers)
        totals = timeLaps(shape.laps) {
            loop.swiftMANAReceiveLap(bursts: shape.burstsPerLap)
        } device: {
            unsafe creference_mana_device_receive(&device, shape.frameBytes, manaBufferBytes)
        }
    case (.receive, .c):
        let loop = unsafe creference_mana_receive_create(inC, shape.iova, UInt32(shape.buffers), manaBufferBytes)
        totals = timeLaps(shape.laps) {
            unsafe creference_mana_receive_lap(loop, bursts)
        } device: {
            unsafe creference_mana_device_receive(&device, shape.frameBytes, manaBufferBytes)
        }
        unsafe creference_mana_receive_destroy(loop)
    }
    let work = unsafe Work(
        volume: totals.volume,
        completed: device.completed,
        errors: device.errors,
        digest: device.digest
    )
    return RoundResult(nanosecondsPerPacket: Double(totals.nanoseconds) / shape.packets, work: work)
}
