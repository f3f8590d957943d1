// What the server says about itself and its device when a connection begins. All of it is hearsay: sizes, counts and
// indices are bounded before anything is made of them. Source of truth: the vfio-user protocol specification,
// VFIO_USER_VERSION and VFIO_USER_DEVICE_GET_INFO to VFIO_USER_DEVICE_GET_IRQ_INFO.

import CLinux
import Glibc
import Memory

/// What VERSION settled.
struct ServerOffer: Equatable {
    var mostDescriptors = Int(VersionCapabilities.defaultMostDescriptors)
    var mostMappings = Int(VersionCapabilities.defaultMostMappings)
    var writesMultiple = false
    /// The doorbells' memory says whether the server sleeps.
    var hasSleepWord = false
}

/// The device as the server describes it.
struct DeviceDescription: Equatable {
    var canReset = false
    /// By region number.
    var regions: [Int: RegionDescription] = [:]
    var vectorCount = 0
    /// Vectors cannot be added while others are in use.
    var vectorsAreFixed = false
}

/// A region.
struct RegionDescription: Equatable {
    var byteCount: UInt64 = 0
    /// The parts that are memory, offsets into the region, and where in the file the region begins.
    var areas: [Range<UInt64>] = []
    var fileOffset: UInt64 = 0

    var isPresent: Bool { byteCount > 0 }
}

extension ClientLink {
    /// A region larger than this is no BAR (PCI Local Bus 3.0 §6.2.5.1: an address is left to put it at).
    private static var mostRegionBytes: UInt64 { 1 << 56 }
    /// The largest answer about a region that is asked for.
    private static var mostRegionInfoBytes: UInt32 { 64 << 10 }
    static var pageBytes: UInt64 { 4096 }

    // MARK: VERSION

    /// The first exchange of a connection.
    mutating func negotiate() throws(LinkFailure) {
        var ours = VersionCapabilities()
        ours.mostDescriptors = UInt64(MessageDescriptors.most)
        ours.mostData = VersionCapabilities.defaultMostData
        ours.writeMultiple = true
        ours.sleepWord = true
        let start = try begin(.version)
        VersionMessage(capabilities: ours).write(to: &output.buffer)
        let least = VersionMessage.fixedByteCount
        let message = try exchange(start, .version, replying: least...least + JSONValue.mostBytes + 1)
        let answer: VersionMessage
        do {
            answer = try VersionMessage(payload(of: message))
        } catch {
            throw confused("VERSION: \(error)")
        }
        guard answer.minor <= VersionMessage.minor else {
            throw confused("VERSION: 0.\(answer.minor), expected 0.\(VersionMessage.minor)")
        }
        try accept(answer.capabilities ?? VersionCapabilities())
    }

    private mutating func accept(_ theirs: VersionCapabilities) throws(LinkFailure) {
        let descriptors = theirs.mostDescriptors ?? VersionCapabilities.defaultMostDescriptors
        guard descriptors > 0 else { throw confused("VERSION: max_msg_fds 0, expected 1 at least") }
        let pageSizes = theirs.pageSizes ?? VersionCapabilities.defaultPageSizes
        guard pageSizes & Self.pageBytes != 0 else {
            throw confused("VERSION: pgsizes 0x\(String(pageSizes, radix: 16)), expected 4096 among them")
        }
        let data = theirs.mostData ?? VersionCapabilities.defaultMostData
        guard data >= 8 else { throw confused("VERSION: max_data_xfer_size \(data), expected 8 at least") }
        offer.mostDescriptors = Int(min(descriptors, UInt64(MessageDescriptors.most)))
        offer.mostMappings = Int(clamping: theirs.mostMappings ?? VersionCapabilities.defaultMostMappings)
        offer.writesMultiple = theirs.writeMultiple ?? false
        offer.hasSleepWord = theirs.sleepWord ?? false
    }

    // MARK: The device

    /// Asks what the device is made of. The files of mappable regions are given to `keep`.
    mutating func describe(
        keep: (Int, RegionDescription, borrowing OwnedDescriptor) -> Void
    ) throws(LinkFailure) -> DeviceDescription {
        let start = try begin(.getDeviceInfo)
        DeviceInfo(flags: 0, regionCount: 0, interruptCount: 0).write(to: &output.buffer)
        // Later versions may have more behind the structure.
        let message = try exchange(start, .getDeviceInfo, replying: DeviceInfo.byteCount...4096)
        let info = try read(message, .getDeviceInfo, DeviceInfo.init)
        guard info.flags & DeviceInfo.isPCI != 0 else { throw confused("DEVICE_GET_INFO: not a PCI device") }
        // As QEMU has it: VGA may be missing, and more than this is nonsense.
        guard (8...100).contains(info.regionCount), info.interruptCount <= 50 else {
            throw confused("DEVICE_GET_INFO: \(info.regionCount) regions, \(info.interruptCount) kinds of interrupts")
        }
        var device = DeviceDescription()
        device.canReset = info.flags & DeviceInfo.resettable != 0
        for region in Array(0..<6) + [Region.config] {
            device.regions[region] = try describe(region: region, keep: keep)
        }
        guard let config = device.regions[Region.config], config.byteCount >= 256 else {
            throw confused("DEVICE_GET_REGION_INFO: no configuration space of 256 bytes at least")
        }
        if info.interruptCount > InterruptKind.msix.rawValue { try describeVectors(of: &device) }
        return device
    }

    private mutating func describe(
        region: Int,
        keep: (Int, RegionDescription, borrowing OwnedDescriptor) -> Void
    ) throws(LinkFailure) -> RegionDescription {
        var info = try ask(region: region, room: UInt32(RegionInfo.byteCount))
        if info.argumentSize > UInt32(RegionInfo.byteCount) {
            guard info.argumentSize <= Self.mostRegionInfoBytes else {
                throw confused("DEVICE_GET_REGION_INFO: region \(region) needs \(info.argumentSize) bytes")
            }
            info = try ask(region: region, room: info.argumentSize)
        }
        guard info.size <= Self.mostRegionBytes else {
            throw confused("DEVICE_GET_REGION_INFO: region \(region) has \(info.size) bytes")
        }
        var description = RegionDescription(byteCount: info.size)
        guard info.size > 0, info.flags & RegionInfo.mappable != 0, let file = takeDescriptor(0) else {
            return description
        }
        description.fileOffset = info.fileOffset
        description.areas = try areas(info, region: region)
        keep(region, description, file)
        return description
    }

    private mutating func ask(region: Int, room: UInt32) throws(LinkFailure) -> RegionInfo {
        let start = try begin(.getRegionInfo)
        RegionInfo(argumentSize: room, index: UInt32(region)).writeRequest(to: &output.buffer)
        let message = try exchange(
            start,
            .getRegionInfo,
            replying: RegionInfo.byteCount...Int(Self.mostRegionInfoBytes)
        )
        let info = try read(message, .getRegionInfo, RegionInfo.init)
        guard info.index == UInt32(region) else {
            throw confused("DEVICE_GET_REGION_INFO: region \(info.index), expected \(region)")
        }
        return info
    }

    /// The parts that may be mapped: whole pages inside the region and apart from each other, or the server is confused.
    private mutating func areas(_ info: RegionInfo, region: Int) throws(LinkFailure) -> [Range<UInt64>] {
        let all = info.mappedRanges.isEmpty ? [MappedRange(offset: 0, size: info.size)] : info.mappedRanges
        var areas: [Range<UInt64>] = []
        for part in all where part.size > 0 {
            let (end, overflow) = part.offset.addingReportingOverflow(part.size)
            guard !overflow, end <= info.size, part.offset % Self.pageBytes == 0 else {
                throw confused(
                    "DEVICE_GET_REGION_INFO: region \(region) of \(info.size) bytes, "
                        + "area of \(part.size) at \(part.offset)"
                )
            }
            areas.append(part.offset..<end)
        }
        areas.sort { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(areas, areas.dropFirst()) where next.lowerBound < one.upperBound {
            throw confused("DEVICE_GET_REGION_INFO: region \(region), areas overlap at \(next.lowerBound)")
        }
        return areas
    }

    private mutating func describeVectors(of device: inout DeviceDescription) throws(LinkFailure) {
        let start = try begin(.getInterruptInfo)
        InterruptInfo(flags: 0, index: InterruptKind.msix.rawValue, count: 0).write(to: &output.buffer)
        let message = try exchange(start, .getInterruptInfo, replying: InterruptInfo.byteCount...4096)
        let info = try read(message, .getInterruptInfo, InterruptInfo.init)
        // An MSI-X table has at most 2048 entries (PCI Express Base 5.0 §7.7.2.2).
        guard info.index == InterruptKind.msix.rawValue, info.count <= 2048 else {
            throw confused(
                "DEVICE_GET_IRQ_INFO: kind \(info.index), \(info.count) vectors; expected kind 2, at most 2048"
            )
        }
        guard info.flags & InterruptInfo.eventDescriptor != 0 else { return }
        device.vectorCount = Int(info.count)
        device.vectorsAreFixed = info.flags & InterruptInfo.noResize != 0
    }

    /// Reads a reply's structure.
    private mutating func read<Structure>(
        _ message: IncomingMessage,
        _ command: Command,
        _ parse: (RawSpan) throws(WireError) -> Structure
    ) throws(LinkFailure) -> Structure {
        do throws(WireError) {
            return try parse(payload(of: message))
        } catch {
            throw confused("\(LinkFailure.name(command)): \(error)")
        }
    }
}
