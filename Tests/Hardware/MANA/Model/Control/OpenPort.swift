// A port of the virtual MANA that a driver has opened: its queues, and steering to them.

import MANAModel
import MANAWire
import Testing

/// A port with one event queue, `queues` send and as many receive queues, receiving.
struct OpenPort {
    let rig: ControlRig
    let handle: UInt64
    let events: BenchEvents
    var send: [BenchWork] = []
    var receive: [BenchWork] = []

    init(queues: Int = 1, _ change: (inout MANAOptions) -> Void = { _ in }) throws {
        rig = try ControlRig.ready(change)
        try rig.register()
        handle = try rig.port()[.port]
        try rig.openPort(handle)
        events = try rig.makeEventQueue(vector: 1)
        for _ in 0..<queues {
            send.append(try rig.makeWorkQueue(.send, port: handle, events: events.id))
            receive.append(try rig.makeWorkQueue(.receive, port: handle, events: events.id))
        }
        if queues > 0 { _ = try rig.demand(rig.steering(handle, to: receive.map(\.object))) }
    }
}
