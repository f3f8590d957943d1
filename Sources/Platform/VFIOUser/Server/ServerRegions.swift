// The regions: what they are, and accesses to them.

import Backing
import Glibc
import Memory
import PCIe

extension VFIOUserServer {
    // MARK: What they are

    func describeRegion(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let request = try understood { () throws(WireError) in try RegionInfo(payload) }
        guard request.index < UInt32(Region.count) else { throw Refusal(EINVAL, "no region \(request.index)") }
        let index = Int(request.index)
        var reply = RegionInfo(index: request.index, size: regions.sizes[index])
        if reply.size > 0 { reply.flags = RegionInfo.readable | RegionInfo.writable }
        // A client that takes no descriptors cannot map anything.
        let mappable = regions.mappable.first {
            $0.index == index && !$0.areas.isEmpty && connection.mostDescriptors > 0
        }
        if let mappable {
            reply.flags |= RegionInfo.mappable
            reply.fileOffset = mappable.fileOffset
            reply.mappedRanges = mappable.areas.map {
                MappedRange(offset: $0.lowerBound, size: $0.upperBound - $0.lowerBound)
            }
        }
        let start = connection.output.buffer.count - MessageHeader.byteCount
        let toldAll = reply.writeReply(to: &connection.output.buffer, room: request.argumentSize)
        guard let mappable, toldAll else { return }
        try attach(mappable.fileDescriptor, at: start, connection)
        trace("region \(index): memory lent to be mapped")
    }

    /// Doorbells of a region that can be rung without a message: the value goes to a word in shared memory, then an
    /// eventfd is signalled (shadow ioeventfds, as libvfio-user has them).
    func describeDoorbells(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let request = try understood { () throws(WireError) in try IODescriptorsRequest(payload) }
        guard request.index < UInt32(Region.count), request.count == 0 else { throw Refusal(EINVAL, "region or count") }
        let bar = Int(request.index)
        let page = model.host.doorbells
        let doorbells = bar < Region.rom ? regions.doorbells(of: model, bar: bar) : []
        let need = IODescriptorsRequest.byteCount + doorbells.count * ShadowedSubregion.byteCount
        let start = connection.output.buffer.count - MessageHeader.byteCount
        let head = IODescriptorsRequest(
            argumentSize: UInt32(need),
            index: request.index,
            count: UInt32(doorbells.count)
        )
        head.write(to: &connection.output.buffer)
        guard !doorbells.isEmpty, Int(request.argumentSize) >= need else { return }
        guard connection.mostDescriptors >= 2 else { throw Refusal(ENOSPC, "the client takes one descriptor only") }
        for doorbell in doorbells {
            let subregion = ShadowedSubregion(
                offset: doorbell.offset,
                size: 4,
                eventIndex: 0,
                memoryIndex: 1,
                memoryOffset: UInt64(page.byteOffset(of: doorbell.index))
            )
            subregion.write(to: &connection.output.buffer)
        }
        try attach(page.wakeDescriptor, at: start, connection)
        try attach(page.memoryDescriptor, at: start, connection)
        doorbellsAreLent = true
    }

    private func attach(_ descriptor: Int32, at start: Int, _ connection: ServerConnection) throws(Refusal) {
        do {
            connection.output.attach(try .duplicate(of: descriptor), toMessageAt: start)
        } catch {
            throw Refusal(error.code, "\(error)")
        }
    }

    // MARK: Accesses

    @inline(__always)
    func readRegion(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let access = try understood { () throws(WireError) in
            try payload.requireExactly(RegionAccess.byteCount)
            return try RegionAccess(payload)
        }
        try check(access)
        touch()
        access.write(to: &connection.output.buffer)
        let region = Int(access.region)
        if region < Region.rom, let size = natural(access) {
            let value = model.read(bar: region, access.offset, size)
            switch size {
            case .byte: connection.output.buffer.append(UInt8(truncatingIfNeeded: value))
            case .word: connection.output.buffer.append(UInt16(truncatingIfNeeded: value))
            case .doubleWord: connection.output.buffer.append(UInt32(truncatingIfNeeded: value))
            case .quadWord: connection.output.buffer.append(value)
            }
        } else if !lend(access, connection) {
            readLong(access, connection)
        }
    }

    /// Sends a long run of a BAR that is plain memory from where it is: a copy of a megabyte costs a fifth of the trip.
    private func lend(_ access: RegionAccess, _ connection: ServerConnection) -> Bool {
        guard access.count >= 1 << 16, access.region < UInt32(Region.rom) else { return false }
        let range = access.offset..<access.offset + UInt64(access.count)
        // SAFETY: the model keeps it where it is, and lives as long as this server.
        guard let memory = unsafe model.memory(bar: Int(access.region), range), memory.count == range.count else {
            return false
        }
        return unsafe connection.output.lend(memory)
    }

    /// Reads of other sizes: all of configuration space at once, a stretch of a BAR.
    private func readLong(_ access: RegionAccess, _ connection: ServerConnection) {
        let model = model
        connection.output.buffer.append(byteCount: Int(access.count)) { bytes in
            guard Int(access.region) == Region.config else {
                return model.read(bar: Int(access.region), access.offset, into: &bytes)
            }
            var done = 0
            while done < bytes.byteCount {
                let size = configSize(at: access.offset + UInt64(done), remaining: bytes.byteCount - done)
                let value = model.readConfig(UInt16(truncatingIfNeeded: access.offset) + UInt16(done), size)
                for byte in 0..<size.rawValue {
                    bytes.storeBytes(
                        of: UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)),
                        toByteOffset: done + byte,
                        as: UInt8.self
                    )
                }
                done += size.rawValue
            }
        }
    }

    @inline(__always)
    func writeRegion(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let access = try understood { () throws(WireError) in
            let access = try RegionAccess(payload)
            try payload.requireExactly(RegionAccess.byteCount + Int(access.count) - connection.landedByteCount)
            return access
        }
        try check(access)
        touch()
        if connection.landedByteCount == 0 {
            write(access, payload.extracting(RegionAccess.byteCount..<payload.byteCount))
        }
        access.write(to: &connection.output.buffer)
    }

    /// Has the data of a long write that has begun, to a BAR that is plain memory, arrive where it belongs: a copy of a
    /// megabyte costs a fifth of the trip. A client that goes before the end has written what it sent.
    @inline(__always)
    func landLongWrite(_ connection: ServerConnection) {
        guard connection.isNegotiated, connection.input.isInsideMessage else { return }
        guard let access = connection.input.withUnfinished(longWrite) else { return }
        let range = access.offset..<access.offset + UInt64(access.count)
        // SAFETY: the model keeps it where it is, and lives as long as this server.
        guard let memory = unsafe model.writableMemory(bar: Int(access.region), range), memory.count == range.count
        else {
            return
        }
        touch()
        unsafe connection.input.land(keeping: MessageHeader.byteCount + RegionAccess.byteCount, in: memory)
    }

    /// What is written, if it is long, and right in every way.
    private func longWrite(_ header: MessageHeader, _ payload: RawSpan) -> RegionAccess? {
        guard header.isCommand, header.command == Command.writeRegion.rawValue, header.messageSize >= 1 << 16,
            header.flags & ~(MessageHeader.noReply | MessageHeader.typeMask) == 0,
            payload.byteCount >= RegionAccess.byteCount, let access = try? RegionAccess(payload),
            access.region < UInt32(Region.rom), access.count >= 1 << 16,
            Int(header.messageSize) == MessageHeader.byteCount + RegionAccess.byteCount + Int(access.count),
            payload.byteCount < RegionAccess.byteCount + Int(access.count)
        else { return nil }
        do throws(Refusal) { try check(access) } catch { return nil }
        return access
    }

    /// REGION_WRITE_MULTI. All writes are checked before the first one is made.
    func writeRegionMultiple(_ payload: RawSpan, _ connection: ServerConnection) throws(Refusal) {
        let count = try understood { () throws(WireError) in try RegionWrites.count(payload) }
        for index in 0..<count {
            let entry = try understood { () throws(WireError) in try RegionWrites.entry(payload, index) }
            try check(entry.0)
        }
        touch()
        for index in 0..<count {
            guard let entry = try? RegionWrites.entry(payload, index) else { continue }
            let data = RegionWrites.headerByteCount + index * RegionWrites.entryByteCount + RegionAccess.byteCount
            write(entry.0, payload.extracting(data..<data + Int(entry.0.count)))
        }
        counters.multipleWrites &+= UInt64(count)
        connection.output.buffer.append(UInt64(count))
    }

    @inline(__always)
    private func write(_ access: RegionAccess, _ data: RawSpan) {
        let region = Int(access.region)
        if region == Region.config {
            writeConfig(access, data)
        } else if let size = natural(access) {
            model.write(bar: region, access.offset, size, data.value(0, size))
        } else {
            model.write(bar: region, access.offset, from: data)
        }
    }

    private func writeConfig(_ access: RegionAccess, _ data: RawSpan) {
        var done = 0
        while done < data.byteCount {
            let size = configSize(at: access.offset + UInt64(done), remaining: data.byteCount - done)
            let offset = UInt16(truncatingIfNeeded: access.offset) + UInt16(done)
            model.writeConfig(offset, size, data.value(done, size))
            done += size.rawValue
        }
        // The write may have switched the table on, or have reset it (function level reset).
        setVectors(interrupts.routed, masked: false)
    }

    @inline(__always)
    private func check(_ access: RegionAccess) throws(Refusal) {
        guard access.region < UInt32(Region.count) else { throw Refusal(EINVAL, "no region \(access.region)") }
        guard access.count <= UInt32(VersionCapabilities.defaultMostData) else {
            throw Refusal(EINVAL, "\(access.count) bytes at once")
        }
        let size = regions.sizes[Int(access.region)]
        guard UInt64(access.count) <= size, access.offset <= size - UInt64(access.count) else {
            throw Refusal(EINVAL, "\(access.count) bytes at \(access.offset) of region \(access.region)")
        }
    }

    /// The size of an access that the device sees as one.
    @inline(__always)
    private func natural(_ access: RegionAccess) -> AccessSize? {
        guard access.count <= 8, access.count != 0, access.offset % UInt64(access.count) == 0 else { return nil }
        return AccessSize(rawValue: Int(access.count))
    }

    private func configSize(at offset: UInt64, remaining: Int) -> AccessSize {
        AccessSize.largest(at: offset, remaining: min(remaining, 4))
    }
}

extension RawSpan {
    /// The integer of `size` at `offset`, which the caller has found to be inside.
    @inline(__always)
    fileprivate func value(_ offset: Int, _ size: AccessSize) -> UInt64 {
        switch size {
        case .byte: UInt64(integer(offset, as: UInt8.self))
        case .word: UInt64(integer(offset, as: UInt16.self))
        case .doubleWord: UInt64(integer(offset, as: UInt32.self))
        case .quadWord: integer(offset)
        }
    }
}
