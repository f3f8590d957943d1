// Requests that RDMA's driver makes; see `ProtectionTable`. Source: Linux gdma.h of 7.x.

import MANAWire

extension MANAModel {
    func createProtectionDomain(
        _: Message<CreateProtectionDomain>
    ) throws(RequestRefusal) -> Message<CreateProtectionDomainResponse> {
        let handle = adapter.makeHandle()
        var response = Message<CreateProtectionDomainResponse>()
        response[.id] = try adapter.protection.createDomain(handle)
        response[.domain] = handle
        return response
    }

    func destroyProtectionDomain(
        _ request: Message<DestroyProtectionDomain>
    ) throws(RequestRefusal) -> Message<PlainResponse> {
        try adapter.protection.destroyDomain(request[.domain])
        return Message()
    }

    func createMemoryRegistration(
        _ request: Message<CreateMemoryRegistration>
    ) throws(RequestRefusal) -> Message<CreateMemoryRegistrationResponse> {
        let handle = adapter.makeHandle()
        let regions = adapter.regions
        let key = try adapter.protection.register(handle, request) { regions.isComplete($0) }
        var response = Message<CreateMemoryRegistrationResponse>()
        response[.registration] = handle
        response[.localKey] = key
        response[.remoteKey] = key
        return response
    }

    func destroyMemoryRegistration(
        _ request: Message<DestroyMemoryRegistration>
    ) throws(RequestRefusal) -> Message<PlainResponse> {
        try adapter.protection.deregister(request[.registration])
        return Message()
    }

    func allocateDeviceMemory(
        _ request: Message<AllocateDeviceMemory>
    ) throws(RequestRefusal) -> Message<AllocateDeviceMemoryResponse> {
        let handle = adapter.makeHandle()
        try adapter.protection.allocate(handle, byteCount: request[.length])
        var response = Message<AllocateDeviceMemoryResponse>()
        response[.memory] = handle
        return response
    }

    func destroyDeviceMemory(_ request: Message<DestroyDeviceMemory>) throws(RequestRefusal) -> Message<PlainResponse> {
        try adapter.protection.free(request[.memory])
        return Message()
    }

    func allocateResourceRange(
        _ request: Message<AllocateResourceRange>
    ) throws(RequestRefusal) -> Message<AllocateResourceRangeResponse> {
        guard request[.type] == ResourceType.doorbellPage.rawValue else { throw .invalid }
        var response = Message<AllocateResourceRangeResponse>()
        response[.first] = UInt32(
            try adapter.protection.allocatePages(request[.count], alignment: request[.alignment])
        )
        return response
    }

    func destroyResourceRange(
        _ request: Message<DestroyResourceRange>
    ) throws(RequestRefusal) -> Message<PlainResponse> {
        guard request[.type] == ResourceType.doorbellPage.rawValue else { throw .invalid }
        try adapter.protection.freePages(request[.first], count: request[.count])
        return Message()
    }
}
