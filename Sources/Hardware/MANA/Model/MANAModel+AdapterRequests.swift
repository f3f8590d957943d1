// Requests about the adapter itself. Source: Linux gdma_main.c (mana_gd_verify_vf_version, mana_gd_query_max_resources,
// mana_gd_detect_devices, mana_gd_register_device, mana_gd_test_eq) of 6.12 and 7.x.

import MANAWire

extension MANAModel {
    func verifyVersion(
        _ request: Message<VerifyVersion>
    ) throws(RequestRefusal) -> Message<VerifyVersionResponse> {
        // There is one version, 1.
        guard request[.lowestVersion] <= 1, request[.highestVersion] >= 1 else { throw .invalid }
        adapter.driver = DriverCapabilities(rawValue: request[.capabilities])
        var response = Message<VerifyVersionResponse>()
        response[.protocolVersion] = 1
        response[.capabilities] = options.capabilities.rawValue
        return response
    }

    func queryMaxResources(
        _: Message<QueryMaxResources>
    ) throws(RequestRefusal) -> Message<QueryMaxResourcesResponse> {
        let limits = options.limits
        var response = Message<QueryMaxResourcesResponse>()
        response[.sendQueues] = UInt32(limits.sendQueues)
        response[.receiveQueues] = UInt32(limits.receiveQueues)
        response[.completionQueues] = UInt32(limits.completionQueues)
        response[.eventQueues] = UInt32(limits.eventQueues)
        response[.doorbellPages] = UInt32(limits.doorbellPages)
        response[.memoryTables] = 1
        response[.vectors] = limits.vectors
        return response
    }

    func listDevices(_: Message<ListDevices>) throws(RequestRefusal) -> Message<ListDevicesResponse> {
        var response = Message<ListDevicesResponse>()
        let devices = options.devices.prefix(response.count(of: .devices))
        response[.count] = UInt32(devices.count)
        for (index, device) in devices.enumerated() { response[.devices, index] = device.raw }
        return response
    }

    func registerDevice(
        _ request: Message<RegisterDevice>
    ) throws(RequestRefusal) -> Message<RegisterDeviceResponse> {
        guard request[.device] == AdapterDevice.network.raw, options.devices.contains(.network) else {
            throw .notFound
        }
        guard !adapter.isRegistered else { throw .notReady }
        adapter.isRegistered = true
        var response = Message<RegisterDeviceResponse>()
        response[.protectionDomain] = Adapter.protectionDomain
        response[.memoryKey] = Adapter.memoryKey
        response[.doorbellPage] = UInt32(adapter.doorbellPage)
        return response
    }

    /// What the driver had not given back goes with the registration.
    func deregisterDevice(_ request: Message<DeregisterDevice>) throws(RequestRefusal) -> Message<PlainResponse> {
        guard request[.device] == AdapterDevice.network.raw, adapter.isRegistered else { throw .notFound }
        let driver = adapter.driver
        for id in adapter.eventQueues { events.remove(id) }
        path.removeAll()
        adapter = Adapter(options, since: adapter)
        adapter.driver = driver
        startPorts()
        return Message()
    }

    func generateTestEvent(_ request: Message<GenerateTestEvent>) throws(RequestRefusal) -> Message<PlainResponse> {
        let id = Int(request[.eventQueue])
        guard events.queues.contains(id) else { throw .notFound }
        if !options.faults.losesTestEvents { adapter.follow(with: .test(queue: id)) }
        return Message()
    }

    func queryChannelTimeout(
        _: Message<QueryChannelTimeout>
    ) throws(RequestRefusal) -> Message<QueryChannelTimeoutResponse> {
        guard options.capabilities.contains(.channelTimeout) else { throw .unsupported }
        var response = Message<QueryChannelTimeoutResponse>()
        response[.milliseconds] = options.requestTimeout
        return response
    }
}
