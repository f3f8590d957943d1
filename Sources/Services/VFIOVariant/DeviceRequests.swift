// ioctl(2) on a device's descriptor. Source of truth: linux/vfio.h; vfio_pci_core_ioctl (drivers/vfio/pci/vfio_pci_core.c)
// and vfio_ioctl_device_feature (drivers/vfio/vfio_main.c) of Linux 6.12. The structures of vfio-user are those of
// linux/vfio.h, so their codecs serve here too; how `argsz` is negotiated differs, and is the kernel's here.

import Glibc
import VFIOUser

/// The requests of linux/vfio.h, `_IO(';', 100 + n)`.
public enum DeviceRequest: UInt, Sendable, CaseIterable {
    case getInfo = 0x3B6B
    case getRegionInfo = 0x3B6C
    case getInterruptInfo = 0x3B6D
    case setInterrupts = 0x3B6E
    case reset = 0x3B6F
    case getPCIHotResetInfo = 0x3B70
    case pciHotReset = 0x3B71
    case ioEventDescriptor = 0x3B74
    case feature = 0x3B75
}

extension VFIOFile {
    /// struct vfio_device_info of today: with `cap_offset`, and its padding.
    private static var deviceInfoByteCount: Int { 24 }
    /// The largest argument of a device feature that is looked at.
    private static var mostFeatureBytes: Int { 1 << 16 }

    /// Carries out a request, whose argument is at `argument`. Gives 0, as all of them do.
    ///
    /// `ENOTTY` for a request that is not known, and for those of a whole bus (hot reset), of the caller's eventfds
    /// (SET_IRQS: see `attachVector`) and of eventfds that write to registers (IOEVENTFD).
    ///
    /// SAFETY: `argument` may be anything; what is there is overwritten as the request has it.
    @discardableResult
    @unsafe public func ioctl(_ request: UInt, _ argument: UnsafeMutableRawPointer?) throws(VFIOError) -> Int32 {
        try counted { () throws(VFIOError) in
            switch DeviceRequest(rawValue: request) {
            case .getInfo: unsafe try describeDevice(argument)
            case .getRegionInfo: unsafe try describeRegion(argument)
            case .getInterruptInfo: unsafe try describeInterrupts(argument)
            case .reset: try device.reset()
            case .feature: unsafe try feature(argument)
            case .setInterrupts, .getPCIHotResetInfo, .pciHotReset, .ioEventDescriptor, nil:
                throw VFIOError(ENOTTY, "request 0x\(String(request, radix: 16))")
            }
        }
        return 0
    }

    // SAFETY (below): the caller's addresses go to `CallerMemory` alone, which takes any.

    private func describeDevice(_ argument: UnsafeMutableRawPointer?) throws(VFIOError) {
        let (argument, question) = unsafe try ask(argument, DeviceInfo.byteCount)
        let room = try understood(question, DeviceInfo.init).argumentSize
        var answer = DeviceInfo(
            flags: DeviceInfo.isPCI | (device.canReset ? DeviceInfo.resettable : 0),
            regionCount: UInt32(VFIORegion.count),
            interruptCount: UInt32(InterruptKind.allCases.count)
        )
        answer.argumentSize = room
        var buffer = MessageBuffer(capacity: Self.deviceInfoByteCount)
        answer.write(to: &buffer)
        buffer.append(UInt64(0))  // no capabilities, and padding
        unsafe try CallerMemory.write(buffer.bytes().extracting(first: min(Int(room), buffer.count)), to: argument)
    }

    private func describeRegion(_ argument: UnsafeMutableRawPointer?) throws(VFIOError) {
        var (argument, question) = unsafe try ask(argument, RegionInfo.byteCount)
        // The caller's flags mean nothing, and may be those of an earlier answer.
        question.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        let asked = try understood(question, RegionInfo.init)
        let region = try device.region(Int(asked.index))
        var answer = RegionInfo(
            index: asked.index,
            size: region.byteCount,
            fileOffset: UInt64(asked.index) << Self.regionShift
        )
        if region.byteCount > 0 {
            if region.isReadable { answer.flags |= RegionInfo.readable }
            if region.isWritable { answer.flags |= RegionInfo.writable }
            if let memory = region.memory {
                answer.flags |= RegionInfo.mappable
                answer.mappedRanges = memory.areas.map {
                    MappedRange(offset: $0.lowerBound, size: $0.upperBound - $0.lowerBound)
                }
            }
        }
        var buffer = MessageBuffer(capacity: answer.fullByteCount)
        answer.writeKernelReply(to: &buffer, room: asked.argumentSize)
        // The capabilities first, as the kernel does: where they do not go, nothing was answered.
        let bytes = buffer.bytes()
        if bytes.byteCount > RegionInfo.byteCount {
            let capabilities = bytes.extracting(RegionInfo.byteCount..<bytes.byteCount)
            unsafe try CallerMemory.write(capabilities, to: argument + RegionInfo.byteCount)
        }
        unsafe try CallerMemory.write(bytes.extracting(first: RegionInfo.byteCount), to: argument)
    }

    /// Vectors of MSI-X are what a `VFIODevice` lends; it has no line, no MSI, and reports no errors this way.
    private func describeInterrupts(_ argument: UnsafeMutableRawPointer?) throws(VFIOError) {
        let (argument, question) = unsafe try ask(argument, InterruptInfo.byteCount)
        let asked = try understood(question, InterruptInfo.init)
        guard let kind = InterruptKind(rawValue: asked.index) else {
            throw VFIOError(EINVAL, "kind of interrupt \(asked.index) of \(InterruptKind.allCases.count)")
        }
        var answer = InterruptInfo(
            flags: InterruptInfo.eventDescriptor,
            index: asked.index,
            count: kind == .msix ? UInt32(clamping: device.vectorCount) : 0
        )
        if kind == .line { answer.flags |= InterruptInfo.maskable | InterruptInfo.automasked }
        if kind == .msi || kind == .error || kind == .request { answer.flags |= InterruptInfo.noResize }
        answer.argumentSize = asked.argumentSize
        var buffer = MessageBuffer(capacity: InterruptInfo.byteCount)
        answer.write(to: &buffer)
        unsafe try CallerMemory.write(buffer.bytes(), to: argument)
    }

    private func feature(_ argument: UnsafeMutableRawPointer?) throws(VFIOError) {
        let (argument, question) = unsafe try ask(argument, DeviceFeatureRequest.byteCount)
        let asked = try understood(question, DeviceFeatureRequest.init)
        let both = DeviceFeatureRequest.get | DeviceFeatureRequest.set
        guard asked.flags & DeviceFeatureRequest.probe != 0 || asked.flags & both != both else {
            throw VFIOError(EINVAL, "flags 0x\(String(asked.flags, radix: 16)): to get and to set at once")
        }
        let room = Int(asked.argumentSize) - DeviceFeatureRequest.byteCount
        var data = [UInt8](repeating: 0, count: min(room, Self.mostFeatureBytes))
        var span = data.mutableSpan
        // What of it can be read: how much a feature takes is its own business. SAFETY: UInt8 is any byte.
        var bytes = unsafe span.mutableBytes
        let count = unsafe CallerMemory.readable(argument + DeviceFeatureRequest.byteCount, into: &bytes)
        let answer = try device.feature(asked.flags, Array(data.prefix(count)))
        guard answer.count <= room else {
            throw VFIOError(EINVAL, "room for \(room) bytes of device feature, expected \(answer.count)")
        }
        unsafe try CallerMemory.write(answer.span.bytes, to: argument + DeviceFeatureRequest.byteCount)
    }

    /// The first bytes of a request's argument, and where it is.
    @unsafe private func ask(
        _ argument: UnsafeMutableRawPointer?,
        _ byteCount: Int
    ) throws(VFIOError) -> (UnsafeMutableRawPointer, [UInt8]) {
        guard let argument = unsafe argument else { throw VFIOError(EFAULT, "no argument") }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        unsafe try CallerMemory.read(argument, into: &raw)
        return unsafe (argument, bytes)
    }

    private func understood<Structure>(
        _ bytes: [UInt8],
        _ read: (RawSpan) throws(WireError) -> Structure
    ) throws(VFIOError) -> Structure {
        do throws(WireError) {
            return try unsafe read(bytes.span.bytes)
        } catch {
            throw VFIOError(error.errorNumber, "\(error)")
        }
    }
}
