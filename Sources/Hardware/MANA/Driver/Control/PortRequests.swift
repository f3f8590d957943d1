// Requests about a port. Source: mana_query_vport_cfg, mana_cfg_vport, mana_cfg_vport_steering, mana_pf_register_hw_vport,
// mana_pf_register_filter (mana_en.c of Linux 6.12 and 7.x).

import Backing
import MANAWire

/// What a port is.
struct PortIdentity: Sendable, Equatable {
    var handle: UInt64
    /// First byte in the lowest bits.
    var address: UInt64
    var sendQueues: Int
    var receiveQueues: Int
    /// A power of two, 512 at most.
    var indirectionEntries: Int
}

/// What frames that leave by a port must carry.
struct PortTransmitSettings: Sendable, Equatable {
    var portOffset: UInt16
    var allowsShortFormat: Bool
}

extension MANAAdapter {
    func queryPort(_ index: Int) throws(DeviceError) -> PortIdentity {
        var request = request(QueryPort.self)
        request[.index] = UInt32(index)
        let answer = try channel.send(request)
        let (send, receive) = (answer[.sendQueues], answer[.receiveQueues])
        guard send > 0, receive > 0 else {
            throw error(.badContents, "query port \(index)", "\(send) send and \(receive) receive queues")
        }
        // As mana_query_vport_cfg: what no table can be is the usual one.
        let entries = answer[.indirectionEntries]
        let isGood = entries.nonzeroBitCount == 1 && entries <= UInt32(MANA.longestIndirection)
        return PortIdentity(
            handle: answer[.port],
            address: (0..<6).reduce(0) { $0 | UInt64(answer[.address, $1]) << UInt64(8 * $1) },
            sendQueues: Int(clamping: send),
            receiveQueues: Int(clamping: receive),
            indirectionEntries: isGood ? Int(entries) : 64
        )
    }

    /// Whether the privileged requests are for this driver.
    var isPrivileged: Bool { hardware.kind.isPhysical && !network.isHosted }

    /// The handle that replaces a port's, for a privileged driver.
    func registerHardwarePort() throws(DeviceError) -> UInt64 {
        var request = request(RegisterHardwarePort.self)
        request[.function] = 1
        request[.isDefault] = 1
        request[.allowsAllTypes] = 1
        return try channel.send(request)[.port]
    }

    func deregisterHardwarePort(_ handle: UInt64) throws(DeviceError) {
        var request = request(DeregisterHardwarePort.self)
        request[.port] = handle
        _ = try channel.send(request)
    }

    func registerFilter(_ port: UInt64, address: UInt64) throws(DeviceError) -> UInt64 {
        var request = request(RegisterFilter.self)
        request[.port] = port
        for index in 0..<6 { request[.address, index] = UInt8(truncatingIfNeeded: address >> UInt64(8 * index)) }
        return try channel.send(request)[.filter]
    }

    func deregisterFilter(_ filter: UInt64) throws(DeviceError) {
        var request = request(DeregisterFilter.self)
        request[.filter] = filter
        _ = try channel.send(request)
    }

    func configureTransmit(_ port: UInt64) throws(DeviceError) -> PortTransmitSettings {
        var request = request(ConfigurePortTransmit.self)
        request[.port] = port
        request[.protectionDomain] = registration.protectionDomain
        request[.doorbellPage] = registration.doorbellPage
        let answer = try channel.send(request)
        let offset = answer[.portOffset]
        guard offset <= TransmitFormat.largestPortOffset else {
            throw error(.badContents, "configure port", "port offset \(offset), expected 12 bits")
        }
        return PortTransmitSettings(portOffset: offset, allowsShortFormat: answer[.allowsShortFormat] != 0)
    }

    /// Says which queues get the port's frames: the objects in turn, over the whole table. None: no frames at all.
    func steer(_ port: UInt64, entries: Int, to objects: [UInt64]) throws(DeviceError) {
        let frames = configuration.framesPerCompletion
        let hasEight = network.capabilities.contains(.eightFrameCompletions)
        let tableEntries = objects.isEmpty ? 0 : entries
        var request = request(
            ConfigurePortReceive.self,
            version: frames == 8 && hasEight ? 5 : 2,
            responseVersion: 2,
            elementBytes: 8 * tableEntries
        )
        request[.port] = port
        request[.receives] = objects.isEmpty ? 0 : 1
        request[.indirectionOffset] = UInt16(ConfigurePortReceive.byteCount)
        if let first = objects.first {
            request[.hashes] = configuration.hashesReceived ? 1 : 0
            request[.updatesDefault] = 1
            request[.defaultObject] = first
            request[.updatesKey] = 1
            for (index, byte) in configuration.hashKey.enumerated() { request[.key, index] = byte }
            request[.hashTypes] = configuration.hashTypes.rawValue
            request[.updatesIndirection] = 1
            request[.indirectionEntries] = UInt16(tableEntries)
            for entry in 0..<tableEntries { request[.indirection, entry] = objects[entry % objects.count] }
            request[.coalesces] = frames > 1 ? 1 : 0
            request[.coalescesEight] = frames == 8 && hasEight ? 1 : 0
        }
        _ = try channel.send(request)
    }

    func fence(_ object: UInt64) throws(DeviceError) {
        var request = request(FenceReceiveQueue.self)
        request[.object] = object
        _ = try channel.send(request)
    }

    /// Megabits per second of the link; nil if the card does not say.
    func queryLinkSpeed(_ port: UInt64) throws(DeviceError) -> Int? {
        var request = request(QueryLink.self)
        request[.port] = port
        do throws(DeviceError) {
            let answer = try channel.send(request)
            return answer[.currentMegabits] == 0 ? nil : Int(answer[.currentMegabits])
        } catch {
            // Cards before it was known say no.
            guard error.code == .refused else { throw error }
            return nil
        }
    }

    /// The function's counters, by `FunctionStatistic.rawValue`.
    func queryStatistics() throws(DeviceError) -> [UInt64] {
        var request = request(QueryFunctionStatistics.self)
        request[.wanted] = FunctionStatistic.allCases.reduce(0) { $0 | $1.maskBit }
        return try channel.send(request).elements(.counters)
    }

    /// The counters of the physical port beneath the function, by `PhysicalStatistic.place`; nil if the card does not tell.
    func queryPhysicalStatistics() throws(DeviceError) -> [UInt64]? {
        var request = request(QueryPhysicalStatistics.self)
        request[.wanted] = PhysicalStatistic.all.reduce(0) { $0 | 1 << UInt64($1.place) }
        do throws(DeviceError) {
            return try channel.send(request).elements(.counters)
        } catch {
            // Cards before it was known say no, and to some functions all do.
            guard error.code == .refused else { throw error }
            return nil
        }
    }
}
