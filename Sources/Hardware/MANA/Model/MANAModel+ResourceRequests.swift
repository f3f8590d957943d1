// Requests about memory regions and event queues. Source: Linux gdma_main.c (mana_gd_create_dma_region,
// mana_gd_create_hw_eq, mana_gd_disable_queue) of 6.12 and 7.x; drivers/infiniband/hw/mana for lists in several requests.

import Backing
import MANAWire

extension MANAModel {
    func createRegion(_ bytes: [UInt8], _ header: Message<AnyRequest>) throws(RequestRefusal) -> [UInt8] {
        let handle = adapter.makeHandle()
        let isComplete = try adapter.regions.create(handle, try parse(bytes))
        var response = Message<CreateRegionResponse>()
        response[.region] = handle
        return encode(response, header, isComplete ? .success : .moreEntries)
    }

    func addPages(_ bytes: [UInt8], _ header: Message<AnyRequest>) throws(RequestRefusal) -> [UInt8] {
        let isComplete = try adapter.regions.add(try parse(bytes))
        return encode(Message<PlainResponse>(), header, isComplete ? .success : .moreEntries)
    }

    func destroyRegion(_ request: Message<DestroyRegion>) throws(RequestRefusal) -> Message<PlainResponse> {
        guard !adapter.protection.isInUse(request[.region]) else { throw .notReady }
        try adapter.regions.remove(request[.region])
        return Message()
    }

    /// Event queues alone: send, receive and completion queues are the network adapter's to make, in pairs.
    func createQueue(_ request: Message<CreateQueue>) throws(RequestRefusal) -> Message<CreateQueueResponse> {
        guard request[.type] == QueueType.event.rawValue else { throw .unsupported }
        guard adapter.isRegistered else { throw .notReady }
        guard request[.protectionDomain] == Adapter.protectionDomain,
            request[.doorbellPage] == UInt32(adapter.doorbellPage)
        else { throw .notPermitted }
        // The host granted so many vectors, and the table has so many.
        let vector = Int(request[.vector])
        guard vector < min(Int(options.limits.vectors), vectorCount),
            vector < options.faults.refusesVectorsFrom ?? .max
        else { throw .invalid }
        guard adapter.eventQueues.count < options.limits.eventQueues, let id = events.queues.firstFree, id > 0 else {
            throw .exhausted
        }
        let ring = try ring(over: request[.region], byteCount: request[.ringBytes])
        let faults = entryFaults.faults(of: .events, queue: UInt32(id))
        events.queues.insert(EventQueue(vector: vector, ring, faults: faults), at: id)
        try adapter.regions.remove(request[.region])
        adapter.eventQueues.insert(id)
        var response = Message<CreateQueueResponse>()
        response[.id] = UInt32(id)
        return response
    }

    /// A ring over a region that nothing else uses; the region stays until it is removed.
    func ring(over region: UInt64, byteCount: UInt32) throws(RequestRefusal) -> RingMemory {
        guard !adapter.protection.isInUse(region) else { throw .notReady }
        return try adapter.regions.ring(region, byteCount: byteCount, host.memory)
    }

    func disableQueue(_ request: Message<DisableQueue>) throws(RequestRefusal) -> Message<PlainResponse> {
        guard request[.type] == QueueType.event.rawValue else { throw .unsupported }
        let id = Int(request[.id])
        guard adapter.eventQueues.remove(id) != nil else { throw .notFound }
        events.remove(id)
        return Message()
    }
}
