// An event queue of the card, on loan. Source: mana_gd_create_hw_eq, mana_gd_test_eq, mana_gd_disable_queue (gdma_main.c
// of Linux 6.12 and 7.x).

import Backing
import Leases
import MANAWire
import Registers

/// Where a queue pair's completion queues tell that they have something. Its end has the card disable it.
struct EventQueue<Backing: PCIeBacking>: ~Copyable {
    let id: UInt32
    private var ring: EventRing
    /// Owner bits that cannot be were found: it is read no more.
    private(set) var isBroken = false
    private let adapter: MANAAdapter<Backing>
    private let doorbell: DoorbellPlace<Backing.BAR>
    private let mark: CensusMark
    // The queue ends before the memory of its ring.
    private let created: CreatedEventQueue<Backing>
    private let region: RingRegion<Backing>

    static var byteCount: Int { MANA.shortestRingBytes }

    /// - Parameter vector: the MSI-X vector that the card raises when an event comes to the armed queue.
    init(_ adapter: MANAAdapter<Backing>, vector: Int) throws(DeviceError) {
        var region = try RingRegion(adapter, byteCount: Self.byteCount, purpose: "mana-eq")
        let doorbell = try adapter.hardware.doorbellPage(adapter.registration.doorbellPage, "create event queue")
        var request = adapter.request(CreateQueue.self)
        request[.type] = QueueType.event.rawValue
        request[.protectionDomain] = adapter.registration.protectionDomain
        request[.doorbellPage] = adapter.registration.doorbellPage
        request[.region] = region.handle
        request[.ringBytes] = UInt32(Self.byteCount)
        // log2_throttle_limit as Linux has it.
        request[.throttle] = 3
        request[.vector] = UInt32(vector)
        let id = try adapter.channel.send(request)[.id]
        region.isTaken = true
        let created = CreatedEventQueue(adapter, id: id)
        guard id <= 0xFFFF else {
            throw adapter.error(.badContents, "create event queue", "id \(hex(id)), expected 16 bits")
        }
        // SAFETY: the ring lives in `region`, which ends after it.
        var ring = unsafe EventRing(base: region.base, byteCount: Self.byteCount)
        try Self.test(adapter, id, &ring)
        doorbell.ring(.event, QueueDoorbell(id: id, tail: ring.tail, isArmed: true))
        self.id = id
        self.ring = ring
        self.adapter = adapter
        self.doorbell = doorbell
        self.region = region
        self.created = created
        mark = adapter.census.mark("MANA event queue")
    }

    /// Has the card raise an event, and waits for it (30 s, mana_gd_test_eq).
    private static func test(
        _ adapter: MANAAdapter<Backing>,
        _ id: UInt32,
        _ ring: inout EventRing
    ) throws(DeviceError) {
        let operation = "test event queue \(id)"
        var request = adapter.request(GenerateTestEvent.self)
        request[.eventQueue] = id
        _ = try adapter.channel.send(request)
        var looked = 0
        let came = try adapter.hardware.waitUntil(timeoutNanoseconds: 30_000 * millisecond, operation) {
            () throws(DeviceError) in
            while looked < 1024 {
                looked += 1
                switch ring.next() {
                case .none: return false
                case .event(let event): if event.type == .test { return true }
                case .overflow: throw adapter.error(.badContents, operation, "owner bits of a lap that cannot be")
                }
            }
            throw adapter.error(.badContents, operation, "events without end, none of them the test's")
        }
        guard came else { throw adapter.error(.timedOut, operation, "no test event in 30 s") }
    }

    /// Takes what is there, and has the card raise the vector for the next event; how many events were of use.
    mutating func arm(_ statistics: QueueStatistics) {
        // Of a card that was closed, the number may be another's by now.
        guard !isBroken, adapter.hardware.isOpen else { return }
        taking: for _ in 0..<ring.entryCount {
            switch ring.next() {
            case .none: break taking
            case .overflow:
                isBroken = true
                statistics.overflows.add()
                return
            case .event(let event):
                // Both completion queues are looked at whatever the event says.
                if event.type != .completion, event.type != .test { statistics.unknownEvents.add() }
            }
        }
        doorbell.ring(.event, QueueDoorbell(id: id, tail: ring.tail, isArmed: true))
    }
}

/// An event queue that the card has made. Its end has it disabled.
struct CreatedEventQueue<Backing: PCIeBacking>: ~Copyable {
    private let adapter: MANAAdapter<Backing>
    private let id: UInt32

    init(_ adapter: MANAAdapter<Backing>, id: UInt32) {
        self.adapter = adapter
        self.id = id
    }

    deinit {
        let (adapter, id) = (adapter, id)
        adapter.undo { () throws(DeviceError) in
            var request = adapter.request(DisableQueue.self)
            request[.type] = QueueType.event.rawValue
            request[.id] = id
            request[.wasAllocated] = 1
            _ = try adapter.channel.send(request)
        }
    }
}
