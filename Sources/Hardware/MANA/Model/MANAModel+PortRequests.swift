// Requests about ports and their queues. Source: Linux mana_en.c (mana_query_device_cfg, mana_query_vport_cfg,
// mana_cfg_vport, mana_create_wq_obj, mana_cfg_vport_steering, mana_fence_rq, mana_query_gf_stats) of 6.12 and 7.x.

import Backing
import Ethernet
import MANAWire

extension MANAModel {
    /// Ports as they are before anything is configured.
    func startPorts() {
        path.ports.removeAll()
        for index in 0..<options.limits.ports {
            // A privileged driver says by filters which address is a port's.
            let address = needsFilters ? nil : self.address(ofPort: index)
            path.ports.insert(
                Port(address: address, indirectionEntries: options.limits.indirectionEntries),
                at: index
            )
        }
    }

    /// Whether hardware ports and filters are the driver's to register.
    var needsFilters: Bool { options.deviceID.isPhysical && !options.isHosted }

    func address(ofPort index: Int) -> MACAddress {
        MACAddress(value: options.macAddress.value &+ UInt64(index))
    }

    func queryDeviceConfiguration(
        _: Message<QueryDeviceConfiguration>
    ) throws(RequestRefusal) -> Message<QueryDeviceConfigurationResponse> {
        var response = Message<QueryDeviceConfigurationResponse>()
        response[.capabilities] = options.networkCapabilities.rawValue
        response[.ports] = UInt16(options.limits.ports)
        response[.isHosted] = options.isHosted ? 1 : 0
        response[.eventQueues] = UInt32(options.limits.eventQueues)
        response[.longestFrame] = UInt16(options.longestFrame)
        return response
    }

    func queryPort(_ request: Message<QueryPort>) throws(RequestRefusal) -> Message<QueryPortResponse> {
        let index = Int(request[.index])
        guard index < adapter.ports.count else { throw .notFound }
        var response = Message<QueryPortResponse>()
        response[.sendQueues] = UInt32(options.limits.portQueues)
        response[.receiveQueues] = UInt32(options.limits.portQueues)
        response[.indirectionEntries] = UInt32(options.limits.indirectionEntries)
        let bytes = address(ofPort: index).bytes
        for place in 0..<6 { response[.address, place] = bytes[place] }
        response[.port] = adapter.ports[index].handle
        return response
    }

    func configurePortTransmit(
        _ request: Message<ConfigurePortTransmit>
    ) throws(RequestRefusal) -> Message<ConfigurePortTransmitResponse> {
        let port = try adapter.port(request[.port])
        guard adapter.isRegistered, !needsFilters || adapter.ports[port].isReplaced else { throw .notReady }
        guard request[.protectionDomain] == Adapter.protectionDomain,
            request[.doorbellPage] == UInt32(adapter.doorbellPage)
        else { throw .notPermitted }
        path.ports[port].transmitOffset = UInt32(options.portOffset)
        var response = Message<ConfigurePortTransmitResponse>()
        response[.portOffset] = options.portOffset
        // A place of eight bits does not hold more.
        response[.allowsShortFormat] = options.portOffset < 256 ? 1 : 0
        return response
    }

    // MARK: Queues

    func createWorkQueue(
        _ request: Message<CreateWorkQueue>
    ) throws(RequestRefusal) -> Message<CreateWorkQueueResponse> {
        guard adapter.isRegistered else { throw .notReady }
        let port = try adapter.port(request[.port])
        guard let type = QueueType(rawValue: request[.type]), type == .send || type == .receive else {
            throw .invalid
        }
        let eventQueue = Int(request[.eventQueue])
        guard adapter.eventQueues.contains(eventQueue) || request[.eventQueue] == MANA.noEventQueue else {
            throw .notFound
        }
        let isSend = type == .send
        guard let queue = isSend ? adapter.sendQueues.next : adapter.receiveQueues.next,
            let completionQueue = adapter.completionQueues.next
        else { throw .exhausted }
        guard request[.workRegion] != request[.completionRegion] else { throw .invalid }
        let work = try ring(over: request[.workRegion], byteCount: request[.workRingBytes])
        var completions = CompletionQueue(
            id: UInt32(completionQueue),
            eventQueue: eventQueue,
            try ring(over: request[.completionRegion], byteCount: request[.completionRingBytes]),
            faults: entryFaults.faults(
                of: isSend ? .sendCompletions : .receiveCompletions,
                queue: UInt32(completionQueue)
            )
        )
        var response = Message<CreateWorkQueueResponse>()
        // Version 3 of the request may ask for moderation from the start.
        if request[.version] >= 3, request[.wantsModeration] != 0, options.capabilities.contains(.dynamicModeration) {
            _ = completions.moderate(
                microseconds: request[.moderationMicroseconds],
                completions: request[.moderationCompletions]
            )
            response[.moderationMicroseconds] = completions.moderation.microseconds
            response[.moderationCompletions] = UInt16(completions.moderation.completions)
            response[.isModerated] = completions.moderation.isOn ? 1 : 0
        }
        insert(type, queue: queue, port: port, work, completions)
        adapter.completionQueues.take(completionQueue)
        try adapter.regions.remove(request[.workRegion])
        try adapter.regions.remove(request[.completionRegion])
        let handle = adapter.makeHandle()
        adapter.objects[handle] = .init(type: type, port: port, queue: queue, completionQueue: completionQueue)
        response[.workQueue] = UInt32(queue)
        response[.completionQueue] = UInt32(completionQueue)
        response[.object] = handle
        return response
    }

    private func insert(
        _ type: QueueType,
        queue: Int,
        port: Int,
        _ work: consuming RingMemory,
        _ completions: consuming CompletionQueue
    ) {
        if type == .send {
            path.insert(
                SendQueue(
                    id: UInt32(queue),
                    port: port,
                    work: work,
                    completions: completions,
                    memory: host.memory,
                    memoryKey: Adapter.memoryKey
                )
            )
            adapter.sendQueues.take(queue)
        } else {
            path.insert(
                ReceiveQueue(
                    id: UInt32(queue),
                    work: work,
                    completions: completions,
                    memory: host.memory,
                    memoryKey: Adapter.memoryKey
                )
            )
            adapter.receiveQueues.take(queue)
        }
    }

    func destroyWorkQueue(_ request: Message<DestroyWorkQueue>) throws(RequestRefusal) -> Message<PlainResponse> {
        guard let object = adapter.objects[request[.object]], object.type.rawValue == request[.type] else {
            throw .notFound
        }
        remove(object)
        adapter.objects[request[.object]] = nil
        return Message()
    }

    private func remove(_ object: Adapter.WorkObject) {
        if object.type == .send {
            path.removeSend(object.queue)
            adapter.sendQueues.giveBack(object.queue)
        } else {
            path.removeReceive(object.queue)
            adapter.receiveQueues.giveBack(object.queue)
        }
        adapter.completionQueues.giveBack(object.completionQueue)
    }

    func fenceReceiveQueue(_ request: Message<FenceReceiveQueue>) throws(RequestRefusal) -> Message<PlainResponse> {
        let queue = try receiveQueue(request[.object], port: nil)
        if !options.faults.losesFences { adapter.follow(with: .fence(queue: queue)) }
        return Message()
    }

    /// The receive queue that an object is.
    private func receiveQueue(_ handle: UInt64, port: Int?) throws(RequestRefusal) -> Int {
        guard let object = adapter.objects[handle], object.type == .receive, port == nil || object.port == port else {
            throw .notFound
        }
        return object.queue
    }

    // MARK: Steering

    func configurePortReceive(
        _ request: Message<ConfigurePortReceive>
    ) throws(RequestRefusal) -> Message<ConfigurePortReceiveResponse> {
        let port = try adapter.port(request[.port])
        // All that can be wrong is looked at before anything is changed.
        let receives = try setting(request[.receives], path.ports[port].receives)
        let spreads = try setting(request[.hashes], path.ports[port].spreads)
        let defaultQueue = request[.updatesDefault] == 0 ? nil : try receiveQueue(request[.defaultObject], port: port)
        let indirection = try indirection(request, port: port)
        let coalescing = try coalescing(request)

        path.ports[port].receives = receives
        path.ports[port].spreads = spreads
        path.ports[port].coalescing = coalescing
        path.ports[port].setHashTypes(HashTypes(rawValue: request[.hashTypes]))
        if let defaultQueue { path.ports[port].defaultQueue = defaultQueue }
        if request[.updatesKey] != 0 { path.ports[port].setKey(InlineArray { request[.key, $0] }) }
        if !indirection.isEmpty {
            for index in 0..<options.limits.indirectionEntries {
                path.ports[port].setIndirection(index, indirection[index % indirection.count])
            }
        }
        var response = Message<ConfigurePortReceiveResponse>()
        response[.coalescingNanoseconds] = options.coalescingNanoseconds
        return response
    }

    /// On, off, or as it is.
    private func setting(_ value: UInt32, _ present: Bool) throws(RequestRefusal) -> Bool {
        switch value {
        case 0: return false
        case 1: return true
        case ConfigurePortReceive.unchanged: return present
        default: throw .invalid
        }
    }

    /// The receive queues of a new table; empty: the table stays. One that is shorter than the device's repeats.
    private func indirection(_ request: Message<ConfigurePortReceive>, port: Int) throws(RequestRefusal) -> [Int] {
        guard request[.updatesIndirection] != 0 else { return [] }
        let count = Int(request[.indirectionEntries])
        guard count.nonzeroBitCount == 1, count <= options.limits.indirectionEntries,
            request[.indirectionOffset] == UInt16(ConfigurePortReceive.byteCount),
            request.count(of: .indirection) >= count
        else { throw .invalid }
        var queues: [Int] = []
        for index in 0..<count { queues.append(try receiveQueue(request[.indirection, index], port: port)) }
        return queues
    }

    private func coalescing(_ request: Message<ConfigurePortReceive>) throws(RequestRefusal) -> Coalescing {
        if request[.coalescesEight] != 0 {
            guard options.networkCapabilities.contains(.eightFrameCompletions) else { throw .invalid }
            return .eight
        }
        return request[.coalesces] != 0 ? .four : .none
    }

    // MARK: Link and counts

    func queryLink(_ request: Message<QueryLink>) throws(RequestRefusal) -> Message<QueryLinkResponse> {
        let port = try adapter.port(request[.port])
        var response = Message<QueryLinkResponse>()
        response[.allowedMegabits] = options.linkMegabits
        response[.currentMegabits] = adapter.ports[port].clamp ?? options.linkMegabits
        return response
    }

    func setBandwidthClamp(
        _ request: Message<SetBandwidthClamp>
    ) throws(RequestRefusal) -> Message<SetBandwidthClampResponse> {
        let port = try adapter.port(request[.port])
        let isClamped = try setting(request[.isClamped], adapter.ports[port].clamp != nil)
        guard !isClamped || (1...options.linkMegabits).contains(request[.megabits]) else { throw .invalid }
        adapter.ports[port].clamp = isClamped ? request[.megabits] : nil
        return Message()
    }

    func queryFunctionStatistics(
        _ request: Message<QueryFunctionStatistics>
    ) throws(RequestRefusal) -> Message<QueryFunctionStatisticsResponse> {
        var response = Message<QueryFunctionStatisticsResponse>()
        for statistic in FunctionStatistic.allCases where request[.wanted] & statistic.maskBit != 0 {
            response[.reported] |= statistic.maskBit
            response[.counters, statistic.rawValue] = path.counters[statistic]
        }
        return response
    }

    /// The wire has one traffic class.
    func queryPhysicalStatistics(
        _: Message<QueryPhysicalStatistics>
    ) throws(RequestRefusal) -> Message<QueryPhysicalStatisticsResponse> {
        var response = Message<QueryPhysicalStatisticsResponse>()
        response[.reported] = (1 << UInt64(PhysicalStatistic.all.count)) - 1
        response[.counters, PhysicalStatistic.dropped(transmit: false).place] = path.framesDropped
        response[.counters, PhysicalStatistic.packets(class: 0, transmit: false).place] = path.framesReceived
        response[.counters, PhysicalStatistic.packets(class: 0, transmit: true).place] = path.framesSent
        response[.counters, PhysicalStatistic.bytes(class: 0, transmit: false).place] = path.counters[.receiveBytes]
        response[.counters, PhysicalStatistic.bytes(class: 0, transmit: true).place] = path.counters[.transmitBytes]
        return response
    }
}
