// A send or receive queue of the card with its completion queue, on loan. Source: mana_create_wq_obj,
// mana_destroy_wq_obj, mana_fence_rq (mana_en.c of Linux 6.12 and 7.x).

import Backing
import Leases
import MANAWire
import Memory

/// A work ring and a completion ring that the card knows as one object. Its end has the card destroy both.
@safe struct WorkQueue<Backing: PCIeBacking>: ~Copyable {
    let id: UInt32
    let completionQueue: UInt32
    let object: UInt64
    private var created: CreatedWorkQueue<Backing>?
    // After the object: the rings' memory.
    private let workRegion: RingRegion<Backing>
    private let completionRegion: RingRegion<Backing>

    init(
        _ adapter: MANAAdapter<Backing>,
        _ type: QueueType,
        port: UInt64,
        workBytes: Int,
        completionBytes: Int,
        eventQueue: UInt32
    ) throws(DeviceError) {
        let operation = "create \(type) queue"
        var workRegion = try RingRegion(adapter, byteCount: workBytes, purpose: "mana-\(type)")
        var completionRegion = try RingRegion(adapter, byteCount: completionBytes, purpose: "mana-\(type)-cq")
        var request = adapter.request(CreateWorkQueue.self)
        request[.port] = port
        request[.type] = type.rawValue
        request[.workRegion] = workRegion.handle
        request[.completionRegion] = completionRegion.handle
        request[.workRingBytes] = UInt32(workBytes)
        request[.completionRingBytes] = UInt32(completionBytes)
        request[.eventQueue] = eventQueue
        let answer = try adapter.channel.send(request)
        workRegion.isTaken = true
        completionRegion.isTaken = true
        let object = answer[.object]
        guard object != MANA.noObject else { throw adapter.error(.badContents, operation, "no object's handle") }
        let created = CreatedWorkQueue(adapter, type, object)
        let id = answer[.workQueue]
        let completionQueue = answer[.completionQueue]
        let limit = adapter.channel.completionQueueLimit
        guard id <= 0xFF_FFFF, completionQueue <= 0xFF_FFFF, limit == 0 || completionQueue < limit else {
            throw adapter.error(
                .badContents,
                operation,
                "work queue \(id), completion queue \(completionQueue), expected 24 bits and below \(limit)"
            )
        }
        self.id = id
        self.completionQueue = completionQueue
        self.object = object
        self.created = consume created
        self.workRegion = workRegion
        self.completionRegion = completionRegion
    }

    /// Has the card destroy the object. The rings' memory stays as long as this value.
    mutating func end() { created = nil }

    /// SAFETY (both): good as long as the queue.
    @unsafe var workRing: WorkRing { unsafe WorkRing(base: workRegion.base, byteCount: workRegion.byteCount) }

    @unsafe var completionRing: CompletionRing {
        unsafe CompletionRing(
            base: completionRegion.base,
            entryCount: completionRegion.byteCount / MANA.completionBytes
        )
    }
}

/// An object that the card has made. Its end has it destroyed.
struct CreatedWorkQueue<Backing: PCIeBacking>: ~Copyable {
    private let adapter: MANAAdapter<Backing>
    private let type: QueueType
    private let object: UInt64
    private let mark: CensusMark

    init(_ adapter: MANAAdapter<Backing>, _ type: QueueType, _ object: UInt64) {
        self.adapter = adapter
        self.type = type
        self.object = object
        mark = adapter.census.mark("MANA \(type) queue")
    }

    deinit {
        let (adapter, type, object) = (adapter, type, object)
        adapter.undo { () throws(DeviceError) in
            var request = adapter.request(DestroyWorkQueue.self)
            request[.type] = type.rawValue
            request[.object] = object
            _ = try adapter.channel.send(request)
        }
    }
}
