// Which request is carried out by what. Source: Linux gdma_main.c, mana_en.c of 6.12 and 7.x, where each is sent.

import MANAWire

extension MANAModel {
    /// Carries out a request; its answer.
    func respond(_ kind: RequestKind, _ header: Message<AnyRequest>, _ bytes: [UInt8]) -> [UInt8] {
        do throws(RequestRefusal) {
            // The network adapter's requests are for the network adapter.
            if kind.isNetwork, header[.device] != AdapterDevice.network.raw { throw .notFound }
            switch kind {
            case .verifyVersion: return try carryOut(bytes, header, verifyVersion)
            case .queryMaxResources: return try carryOut(bytes, header, queryMaxResources)
            case .listDevices: return try carryOut(bytes, header, listDevices)
            case .registerDevice: return try carryOut(bytes, header, registerDevice)
            case .deregisterDevice: return try carryOut(bytes, header, deregisterDevice)
            case .generateTestEvent: return try carryOut(bytes, header, generateTestEvent)
            case .queryChannelTimeout: return try carryOut(bytes, header, queryChannelTimeout)
            case .createQueue: return try carryOut(bytes, header, createQueue)
            case .disableQueue: return try carryOut(bytes, header, disableQueue)
            case .createRegion: return try createRegion(bytes, header)
            case .addPages: return try addPages(bytes, header)
            case .destroyRegion: return try carryOut(bytes, header, destroyRegion)
            case .allocateResourceRange: return try carryOut(bytes, header, allocateResourceRange)
            case .destroyResourceRange: return try carryOut(bytes, header, destroyResourceRange)
            case .createProtectionDomain: return try carryOut(bytes, header, createProtectionDomain)
            case .destroyProtectionDomain: return try carryOut(bytes, header, destroyProtectionDomain)
            case .createMemoryRegistration: return try carryOut(bytes, header, createMemoryRegistration)
            case .destroyMemoryRegistration: return try carryOut(bytes, header, destroyMemoryRegistration)
            case .allocateDeviceMemory: return try carryOut(bytes, header, allocateDeviceMemory)
            case .destroyDeviceMemory: return try carryOut(bytes, header, destroyDeviceMemory)
            case .queryDeviceConfiguration:
                return try carryOut(bytes, header, version: 3, queryDeviceConfiguration)
            case .queryFunctionStatistics: return try carryOut(bytes, header, queryFunctionStatistics)
            case .configurePortTransmit: return try carryOut(bytes, header, configurePortTransmit)
            case .createWorkQueue: return try carryOut(bytes, header, version: 2, createWorkQueue)
            case .destroyWorkQueue: return try carryOut(bytes, header, destroyWorkQueue)
            case .fenceReceiveQueue: return try carryOut(bytes, header, fenceReceiveQueue)
            case .configurePortReceive: return try carryOut(bytes, header, version: 2, configurePortReceive)
            case .queryPort: return try carryOut(bytes, header, queryPort)
            case .queryLink: return try carryOut(bytes, header, queryLink)
            case .setBandwidthClamp: return try carryOut(bytes, header, setBandwidthClamp)
            case .queryPhysicalStatistics: return try carryOut(bytes, header, queryPhysicalStatistics)
            case .registerFilter: return try carryOut(bytes, header, registerFilter)
            case .deregisterFilter: return try carryOut(bytes, header, deregisterFilter)
            case .registerHardwarePort: return try carryOut(bytes, header, registerHardwarePort)
            case .deregisterHardwarePort: return try carryOut(bytes, header, deregisterHardwarePort)
            default: throw .unsupported
            }
        } catch {
            return encode(Message<PlainResponse>(), header, error.status)
        }
    }

    /// The request's own layout of the bytes that came.
    func parse<Request: RequestLayout>(_ bytes: [UInt8]) throws(RequestRefusal) -> Message<Request> {
        do throws(MessageError) {
            return try Message<Request>(bytes)
        } catch {
            throw .invalid
        }
    }

    private func carryOut<Request: RequestLayout>(
        _ bytes: [UInt8],
        _ header: Message<AnyRequest>,
        version: UInt16 = 1,
        _ body: (Message<Request>) throws(RequestRefusal) -> Message<Request.Response>
    ) throws(RequestRefusal) -> [UInt8] {
        encode(try body(try parse(bytes)), header, .success, version: version)
    }
}
