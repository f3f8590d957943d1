// The commands of a connection in use: registers, DMA mappings, vectors, reset. Source of truth: the vfio-user protocol
// specification.

import Memory

extension ClientLink {
    // MARK: Regions

    /// Reads 1, 2, 4 or 8 bytes of a region.
    mutating func read(_ region: UInt32, _ offset: UInt64, byteCount: Int) throws(LinkFailure) -> UInt64 {
        let start = try begin(.readRegion)
        let access = RegionAccess(offset: offset, region: region, count: UInt32(byteCount))
        access.write(to: &output.buffer)
        let size = RegionAccess.byteCount + byteCount
        let message = try exchange(start, .readRegion, replying: size...size)
        guard let value = value(in: message, of: access) else {
            throw confused("REGION_READ: a reply about another access than \(access)")
        }
        return value
    }

    /// The data of a read's reply, which has the size that it must have; nil if it is about something else.
    @inline(__always)
    private func value(in message: IncomingMessage, of access: RegionAccess) -> UInt64? {
        let payload = payload(of: message)
        guard let answered = try? RegionAccess(payload), answered == access else { return nil }
        switch access.count {
        case 1: return UInt64(payload.integer(RegionAccess.byteCount, as: UInt8.self))
        case 2: return UInt64(payload.integer(RegionAccess.byteCount, as: UInt16.self))
        case 4: return UInt64(payload.integer(RegionAccess.byteCount, as: UInt32.self))
        default: return payload.integer(RegionAccess.byteCount)
        }
    }

    /// Writes 1, 2, 4 or 8 bytes of a region and waits until the device has acted on them.
    mutating func write(
        _ region: UInt32,
        _ offset: UInt64,
        byteCount: Int,
        _ value: UInt64
    ) throws(LinkFailure) {
        let start = try begin(.writeRegion)
        let access = RegionAccess(offset: offset, region: region, count: UInt32(byteCount))
        access.write(to: &output.buffer)
        output.buffer.append(value, byteCount: byteCount)
        let size = RegionAccess.byteCount
        let message = try exchange(start, .writeRegion, replying: size...size)
        guard let answered = try? RegionAccess(payload(of: message)), answered == access else {
            throw confused("REGION_WRITE: a reply about another access than \(access)")
        }
    }

    // MARK: DMA

    /// - Parameter file: what the server maps; nil: it asks by message.
    mutating func mapDMA(
        _ iova: UInt64,
        byteCount: UInt64,
        _ permissions: DMAPermissions,
        file: consuming OwnedDescriptor?
    ) throws(LinkFailure) {
        let start = try begin(.mapDMA)
        let flags =
            (permissions.contains(.deviceReads) ? MapDMARequest.readable : 0)
            | (permissions.contains(.deviceWrites) ? MapDMARequest.writable : 0)
        MapDMARequest(flags: flags, fileOffset: 0, iova: iova, size: byteCount).write(to: &output.buffer)
        if let file { output.attach(file, toMessageAt: start) }
        // The specification has no payload here; some servers repeat the request.
        _ = try exchange(start, .mapDMA, replying: 0...MapDMARequest.byteCount)
    }

    mutating func unmapDMA(_ iova: UInt64, byteCount: UInt64) throws(LinkFailure) {
        let start = try begin(.unmapDMA)
        UnmapDMARequest(flags: 0, iova: iova, size: byteCount).write(to: &output.buffer)
        _ = try exchange(start, .unmapDMA, replying: 0...UnmapDMARequest.byteCount)
    }

    // MARK: Interrupts

    /// Attaches `files`, one to each vector from `start` on.
    mutating func setVectors(from first: Int, _ files: [Int32]) throws(LinkFailure) {
        var done = 0
        while done < files.count {
            let count = min(offer.mostDescriptors, files.count - done)
            var copies = InlineArray<16, OwnedDescriptor?> { _ in nil }
            for index in 0..<count {
                do throws(SystemError) {
                    copies[index] = try OwnedDescriptor.duplicate(of: files[done + index])
                } catch {
                    throw .local(error)
                }
            }
            let start = try begin(.setInterrupts)
            request(.eventDescriptors, first + done, count).write(to: &output.buffer)
            for index in 0..<count {
                if let copy = copies[index].take() { output.attach(copy, toMessageAt: start) }
            }
            _ = try exchange(start, .setInterrupts, replying: 0...SetInterruptsRequest.byteCount)
            done += count
        }
    }

    /// Takes a vector's descriptor away.
    mutating func clearVector(_ index: Int) throws(LinkFailure) {
        let start = try begin(.setInterrupts)
        request(.eventDescriptors, index, 1).write(to: &output.buffer)
        _ = try exchange(start, .setInterrupts, replying: 0...SetInterruptsRequest.byteCount)
    }

    /// Takes all vectors away.
    mutating func disableVectors() throws(LinkFailure) {
        let start = try begin(.setInterrupts)
        request(.none, 0, 0).write(to: &output.buffer)
        _ = try exchange(start, .setInterrupts, replying: 0...SetInterruptsRequest.byteCount)
    }

    private func request(_ data: SetInterruptsRequest.Data, _ first: Int, _ count: Int) -> SetInterruptsRequest {
        SetInterruptsRequest(
            data: data,
            action: .trigger,
            index: InterruptKind.msix.rawValue,
            start: UInt32(first),
            count: UInt32(count)
        )
    }

    // MARK: Reset

    mutating func resetDevice() throws(LinkFailure) {
        let start = try begin(.resetDevice)
        _ = try exchange(start, .resetDevice, replying: 0...0)
    }
}
