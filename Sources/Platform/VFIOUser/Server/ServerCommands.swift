// What each command does. A command is understood, carried out and answered in one go, before the next one is looked at;
// only the data of a long write to plain memory is put there as it comes (`landLongWrite`).

import Backing
import Clock
import Glibc
import Interrupts
import Memory
import PCIe

extension VFIOUserServer {
    /// Carries out one message.
    func handle(_ message: IncomingMessage, _ connection: ServerConnection) {
        let header = message.header
        guard header.isCommand else { return takeReply(message, connection) }
        let start = connection.output.buffer.begin(header.reply)
        connection.landedByteCount = message.landedByteCount
        let refusal = connection.input.withPayload(of: message) { payload -> Refusal? in
            do throws(Refusal) {
                try carryOut(header, payload, connection)
                return nil
            } catch {
                return error
            }
        }
        if let refusal {
            connection.output.takeBack(start)
            if let command = Command(rawValue: header.command) { counters.countRefusal(command) }
            report(refusal, header, connection)
            if header.wantsReply { header.refusal(refusal.errorNumber).write(to: &connection.output.buffer) }
        } else if header.wantsReply {
            connection.output.finish(start)
        } else {
            connection.output.takeBack(start)
        }
        interrupts.updateLine()
    }

    /// A reply to a command of ours, or one that nobody waits for.
    private func takeReply(_ message: IncomingMessage, _ connection: ServerConnection) {
        let isExpected = connection.input.withPayload(of: message) { payload in
            message.header.isReply && transfers.takeReply(message.header, payload)
        }
        if !isExpected { counters.unexpectedReplies &+= 1 }
        model.host.sendHeldMessages()
    }

    /// What comes over the second socket: replies. A command has no business there.
    func handleTwin(_ message: IncomingMessage, _ twin: ServerConnection) {
        guard message.header.isCommand else { return takeReply(message, twin) }
        counters.unknownCommands &+= 1
        if message.header.wantsReply { message.header.refusal(EINVAL).write(to: &twin.output.buffer) }
    }

    private func carryOut(
        _ header: MessageHeader,
        _ payload: RawSpan,
        _ connection: ServerConnection
    ) throws(Refusal) {
        let known = Command(rawValue: header.command)
        if let known { counters.count(known) } else { counters.unknownCommands &+= 1 }
        if !connection.isNegotiated, known != .version {
            doom = "command \(header.command) before VERSION"
            throw Refusal(EINVAL, "VERSION comes first")
        }
        guard let command = known else { throw Refusal(EINVAL, "no such command") }
        guard header.flags & ~(MessageHeader.noReply | MessageHeader.typeMask) == 0 else {
            throw Refusal(EINVAL, "flags 0x\(String(header.flags, radix: 16))")
        }
        guard connection.isNegotiated else { return try negotiate(payload, connection) }
        switch command {
        case .readRegion: try readRegion(payload, connection)
        case .writeRegion:
            if !header.wantsReply { counters.postedWrites &+= 1 }
            try writeRegion(payload, connection)
        case .writeRegionMultiple: try writeRegionMultiple(payload, connection)
        case .mapDMA: try mapDMA(payload, connection)
        case .unmapDMA: try unmapDMA(payload, connection)
        case .getDeviceInfo: try describeDevice(payload, connection)
        case .getRegionInfo: try describeRegion(payload, connection)
        case .getRegionIODescriptors: try describeDoorbells(payload, connection)
        case .getInterruptInfo: try describeInterrupts(payload, connection)
        case .setInterrupts: try setInterrupts(payload, connection)
        case .resetDevice:
            try understood { () throws(WireError) in try payload.requireExactly(0) }
            model.reset()
            trace("reset")
            transfers.dropUnsent()
            setVectors(interrupts.routed, masked: false)
        case .version: throw Refusal(EINVAL, "VERSION came already")
        case .readDMA, .writeDMA: throw Refusal(EINVAL, "a command of the server's")
        case .dirtyPages, .deviceFeature, .readMigrationData, .writeMigrationData:
            counters.unsupportedCommands &+= 1
            throw Refusal(ENOTSUP, "no device here migrates")
        }
    }

    /// VERSION. The reply says what we can do; it stays shorter than the request of a client that says as much, because
    /// QEMU reads the reply into the request's room.
    private func negotiate(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let request: VersionMessage
        do throws(WireError) {
            request = try VersionMessage(payload)
        } catch {
            doom = "VERSION: \(error)"
            throw Refusal(error)
        }
        var reply: VersionCapabilities?
        if let offered = request.capabilities {
            connection.mostDescriptors = Int(
                clamping: offered.mostDescriptors ?? VersionCapabilities.defaultMostDescriptors
            )
            if let most = offered.mostData {
                guard most > 0 else {
                    doom = "VERSION: max_data_xfer_size 0"
                    throw Refusal(EINVAL, "max_data_xfer_size 0")
                }
                connection.mostData = Int(min(most, VersionCapabilities.defaultMostData))
            }
            var capabilities = VersionCapabilities()
            capabilities.mostDescriptors = UInt64(MessageDescriptors.most)
            capabilities.writeMultiple = true
            if offered.sleepWord == true { capabilities.sleepWord = true }
            if offered.twinSocket?.isSupported == true, connection.mostDescriptors > 0 {
                capabilities.twinSocket = .init(isSupported: true, descriptorIndex: 0)
                try makeTwin(connection)
            }
            reply = capabilities
        }
        VersionMessage(capabilities: reply).write(to: &connection.output.buffer)
        connection.isNegotiated = true
    }

    /// A second socket; the client's end goes with the reply to VERSION.
    private func makeTwin(_ connection: ServerConnection) throws(Refusal) {
        do {
            let pair = try UnixSocket.pair()
            let start = connection.output.buffer.count - MessageHeader.byteCount
            connection.output.attach(try .duplicate(of: pair.second.raw), toMessageAt: start)
            let twin = ServerConnection(try .duplicate(of: pair.first.raw))
            twin.isNegotiated = true
            connection.twin = twin
        } catch {
            throw Refusal(error.code, "\(error)")
        }
    }

    private func describeDevice(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        _ = try understood { () throws(WireError) in try DeviceInfo(payload) }
        let info = DeviceInfo(
            flags: DeviceInfo.resettable | DeviceInfo.isPCI,
            regionCount: UInt32(Region.count),
            interruptCount: UInt32(InterruptKind.allCases.count)
        )
        info.write(to: &connection.output.buffer)
    }

    // MARK: Memory

    private func mapDMA(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        do throws(Refusal) {
            let request = try understood { () throws(WireError) in try MapDMARequest(payload) }
            guard connection.descriptors.count <= 1 else { throw Refusal(EINVAL, "more than one descriptor") }
            if let descriptor = connection.descriptors.take(0) {
                try memory.map(request, descriptor)
            } else {
                try memory.mapRemote(request)
                counters.remoteMappings &+= 1
            }
            trace("memory at \(hex(request.iova)) mapped, \(hex(request.size)) bytes")
        } catch {
            counters.refusedMappings &+= 1
            throw error
        }
    }

    /// QEMU unmaps what was never mapped, up to all of the address space, and many mappings by one range.
    private func unmapDMA(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let request = try understood { () throws(WireError) in try UnmapDMARequest(payload) }
        guard request.flags & UnmapDMARequest.getDirtyBitmap == 0 else {
            counters.unsupportedCommands &+= 1
            throw Refusal(ENOTSUP, "no dirty pages are kept")
        }
        if request.flags & UnmapDMARequest.all != 0 {
            memory.unmapAll()
            trace("all memory unmapped")
        } else {
            guard request.size > 0 else { throw Refusal(EINVAL, "no bytes") }
            let (last, wraps) = request.iova.addingReportingOverflow(request.size - 1)
            guard !wraps else { throw Refusal(EINVAL, "behind the end of the address space") }
            try memory.unmap(request.iova...last)
            trace("memory at \(hex(request.iova)) unmapped, \(hex(request.size)) bytes")
        }
        request.write(to: &connection.output.buffer)
    }

    // MARK: Interrupts

    private func describeInterrupts(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let request = try understood { () throws(WireError) in try InterruptInfo(payload) }
        guard let kind = InterruptKind(rawValue: request.index) else { throw Refusal(EINVAL, "no such kind") }
        var flags = InterruptInfo.eventDescriptor
        // Vectors may be added one by one while others are in use, so NORESIZE is not among the flags.
        if kind == .line { flags |= InterruptInfo.maskable | InterruptInfo.automasked }
        let info = InterruptInfo(flags: flags, index: request.index, count: interrupts.counts[Int(request.index)])
        info.write(to: &connection.output.buffer)
    }

    private func setInterrupts(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let request = try understood { () throws(WireError) in try SetInterruptsRequest(payload) }
        guard let kind = InterruptKind(rawValue: request.index) else { throw Refusal(EINVAL, "no such kind") }
        let count = connection.descriptors.count
        if request.data == .none, request.action == .trigger, request.count == 0 {
            guard request.start == 0, count == 0 else { throw Refusal(EINVAL, "start or descriptors") }
            return disable(kind)
        }
        guard request.count > 0, request.start + request.count <= interrupts.counts[Int(request.index)] else {
            throw Refusal(EINVAL, "\(kind) \(request.start) and \(request.count) of them")
        }
        guard request.data == .eventDescriptors || count == 0 else { throw Refusal(EINVAL, "descriptors") }
        let range = Int(request.start)..<Int(request.start + request.count)
        switch request.action {
        case .trigger where request.data == .eventDescriptors:
            guard count == 0 || count == range.count else { throw Refusal(EINVAL, "\(count) descriptors") }
            try assign(kind, range, connection, haveDescriptors: count > 0)
        case .trigger:
            for index in range where isMeant(request, payload, index) { interrupts.fire(kind, index) }
        case .mask, .unmask:
            guard kind == .line, request.data != .eventDescriptors else { throw Refusal(EINVAL, "no such mask") }
            if isMeant(request, payload, 0) { interrupts.maskLine(request.action == .mask) }
        }
    }

    private func isMeant(_ request: SetInterruptsRequest, _ payload: RawSpan, _ index: Int) -> Bool {
        guard request.data == .bools else { return true }
        return payload.integer(SetInterruptsRequest.byteCount + index - Int(request.start), as: UInt8.self) != 0
    }

    /// All descriptors are checked before the first one is used.
    private func assign(
        _ kind: InterruptKind,
        _ range: Range<Int>,
        _ connection: ServerConnection,
        haveDescriptors: Bool
    ) throws(Refusal) {
        guard haveDescriptors else {
            if kind == .msix {
                let vectors = interrupts.routed.intersection(range)
                setVectors(vectors, masked: true)
                if !vectors.isEmpty { onVectors?(.detached(vectors.sorted())) }
            }
            for index in range { interrupts.assign(kind, index, nil) }
            return
        }
        var cells: [InterruptCell] = []
        for place in 0..<range.count {
            guard let descriptor = connection.descriptors.take(place) else { throw Refusal(EINVAL, "descriptors") }
            cells.append(try ClientInterrupts.cell(descriptor))
        }
        for (index, cell) in zip(range, cells) { interrupts.assign(kind, index, cell) }
        guard kind == .msix else { return }
        setVectors(Set(range), masked: false)
        onVectors?(.attached(range))
    }

    private func disable(_ kind: InterruptKind) {
        if kind == .msix {
            if !interrupts.routed.isEmpty { onVectors?(.detached(interrupts.routed.sorted())) }
            setVectors(interrupts.routed, masked: true)
        }
        interrupts.disable(kind)
    }
}

private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
