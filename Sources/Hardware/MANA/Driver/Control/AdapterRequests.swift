// Requests about the card as a whole, in the order of the bring-up.
// Source: mana_gd_verify_vf_version, mana_gd_query_max_resources, mana_gd_detect_devices, mana_gd_register_device
// (gdma_main.c), mana_query_device_cfg (mana_en.c of Linux 6.12 and 7.x).

import Backing
import MANAWire

/// What the card has at most, as QUERY_MAX_RESOURCES says.
public struct AdapterLimits: Sendable, Equatable {
    public var sendQueues: UInt32
    public var receiveQueues: UInt32
    public var completionQueues: UInt32
    public var eventQueues: UInt32
    /// max_msix
    public var vectors: UInt32
}

/// What a registered device is known by.
struct AdapterRegistration: Sendable, Equatable {
    var device: AdapterDevice
    var protectionDomain: UInt32
    var memoryKey: UInt32
    var doorbellPage: UInt32
}

/// What the network adapter can do.
struct NetworkConfiguration: Sendable, Equatable {
    var capabilities: NetworkCapabilities
    var portCount: Int
    /// The privileged requests are not for this driver.
    var isHosted: Bool
    /// Bytes of the longest frame with its Ethernet header; nil: the card did not say.
    var longestFrame: Int?
}

extension HardwareChannel {
    /// Says what this driver can do; what the card can do.
    func verifyVersion(addsVectors: Bool) throws(DeviceError) -> AdapterCapabilities {
        var capabilities: DriverCapabilities = [
            .workCountFix, .channelTimeout, .variableIndirection, .linkAware, .deviceListHoles, .selfReset,
            .reconfigurationEvent, .channelTimeoutRecovery,
        ]
        if addsVectors { capabilities.insert(.dynamicVectors) }
        var request = Message<VerifyVersion>(to: .channel)
        request[.lowestVersion] = 1
        request[.highestVersion] = 1
        request[.capabilities] = capabilities.rawValue
        request[.system] = 0x10
        let answer = try send(request)
        guard answer[.protocolVersion] == 1 else {
            throw hardware.error(.badContents, "VerifyVersion", "protocol \(answer[.protocolVersion]), expected 1")
        }
        return AdapterCapabilities(rawValue: answer[.capabilities])
    }

    /// Asks how long a request may take, where the card knows.
    func queryTimeout() throws(DeviceError) {
        let answer = try send(Message<QueryChannelTimeout>(to: .channel))
        setTimeout(milliseconds: answer[.milliseconds])
    }

    /// The network adapter among the card's devices.
    func findNetworkAdapter() throws(DeviceError) -> AdapterDevice {
        let answer = try send(Message<ListDevices>(to: .channel))
        // The count is of those that there are; holes between them count as well or not, by the card. Zeros say nothing.
        for raw in answer.elements(.devices) {
            let device = AdapterDevice(raw: raw)
            if device.type == AdapterDevice.network.type { return device }
        }
        throw hardware.error(.badContents, "ListDevices", "no device of type 2, expected a network adapter")
    }

    func queryLimits() throws(DeviceError) -> AdapterLimits {
        let answer = try send(Message<QueryMaxResources>(to: .channel))
        return AdapterLimits(
            sendQueues: answer[.sendQueues],
            receiveQueues: answer[.receiveQueues],
            completionQueues: answer[.completionQueues],
            eventQueues: answer[.eventQueues],
            vectors: answer[.vectors]
        )
    }

    func register(_ device: AdapterDevice) throws(DeviceError) -> AdapterRegistration {
        let answer = try send(Message<RegisterDevice>(to: device))
        return AdapterRegistration(
            device: device,
            protectionDomain: answer[.protectionDomain],
            memoryKey: answer[.memoryKey],
            doorbellPage: answer[.doorbellPage]
        )
    }

    func deregister(_ device: AdapterDevice) throws(DeviceError) {
        _ = try send(Message<DeregisterDevice>(to: device))
    }

    func queryNetwork(_ device: AdapterDevice) throws(DeviceError) -> NetworkConfiguration {
        var request = Message<QueryDeviceConfiguration>(to: device, responseVersion: 3)
        request[.protocolMinor] = 1
        request[.protocolMicro] = 1
        let answer = try send(request)
        let version = answer[.version]
        let longest = Int(answer[.longestFrame])
        guard version < 2 || longest >= 64 + MANA.headerBytes else {
            throw hardware.error(
                .badContents,
                "QueryDeviceConfiguration",
                "frames of \(longest) bytes, expected \(64 + MANA.headerBytes) or more"
            )
        }
        return NetworkConfiguration(
            capabilities: NetworkCapabilities(rawValue: answer[.capabilities]),
            portCount: Int(answer[.ports]),
            isHosted: version >= 3 && answer[.isHosted] != 0,
            longestFrame: version >= 2 ? longest : nil
        )
    }
}
