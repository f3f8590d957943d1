// The way up: container, group, IOMMU, device; each step with the diagnosis of its failure.
// Source: Documentation/driver-api/vfio.rst, "VFIO Usage Example"; vfio_main.c, group.c, container.c of Linux 6.12.

import Glibc
import Leases
import Memory

/// What `open` found out about the IOMMU and the function.
struct OpenedFunction: ~Copyable {
    let handles: FunctionHandles
    let iommu: IOMMULayout
    let info: VFIODeviceInfo
}

enum FunctionOpening {
    private static let apiVersion: Int32 = 0
    /// VFIO_TYPE1v2_IOMMU: an unmapping gives back what was mapped, whole.
    private static let type1v2: Int32 = 3

    static func open(
        _ address: PCIAddress,
        _ files: HostFiles,
        _ calls: any VFIOCalls,
        _ census: Census
    ) throws(VFIOObstacle) -> OpenedFunction {
        let file = try files.findGroup(of: address)
        let container = try openFile(files.container, calls, census.mark("VFIO container"), busy: nil)
        let opened = try mapErrors { () throws(SystemError) in
            (
                version: try calls.apiVersion(container: container.number),
                hasType1: try calls.hasExtension(type1v2, container: container.number)
            )
        }
        guard opened.version == apiVersion else { throw .badAnswer("VFIO's version is \(opened.version), expected 0") }
        guard opened.hasType1 else { throw .noType1 }

        let descriptor = try openFile(file.path, calls, census.mark("VFIO group"), busy: file.number)
        let flags = try mapErrors { () throws(SystemError) in try calls.groupFlags(descriptor.number) }
        guard flags.contains(.viable) else {
            throw .groupNotViable(group: file.number, holders: files.holders(inGroupOf: address))
        }
        let group: AttachedGroup
        do {
            group = try AttachedGroup(descriptor, to: container, calls)
        } catch {
            // A driver has bound a device of the group since the look at its flags.
            if error.code == EBUSY || error.code == EINVAL {
                let holders = files.holders(inGroupOf: address)
                if !holders.isEmpty { throw .groupNotViable(group: file.number, holders: holders) }
            }
            throw .failed(error)
        }
        do {
            try calls.setIOMMU(type1v2, container: container.number)
        } catch {
            // vfio_iommu_type1_attach_group: the one reason for "not permitted".
            throw error.code == EPERM ? .noInterruptRemapping : .failed(error)
        }
        let answer = try mapErrors { () throws(SystemError) in try calls.iommuInfo(container: container.number) }
        guard let iommu = IOMMULayout(answer) else { throw .badAnswer("information about the IOMMU") }

        let number = try mapErrors { () throws(SystemError) in
            try calls.device("\(address)", inGroup: group.descriptor.number)
        }
        let device = OpenDescriptor(number, calls, census.mark("VFIO device"))
        let info = try mapErrors { () throws(SystemError) in try calls.deviceInfo(device.number) }
        guard info.isPCI, info.regionCount > VFIORegion.config else {
            throw .badAnswer("\(address) has \(info.regionCount) regions, expected those of a PCI function")
        }
        return OpenedFunction(
            handles: FunctionHandles(device: device, group: group, container: container),
            iommu: iommu,
            info: info
        )
    }

    /// - Parameter busy: the group, for the diagnosis.
    private static func openFile(
        _ path: String,
        _ calls: any VFIOCalls,
        _ mark: consuming CensusMark,
        busy group: Int?
    ) throws(VFIOObstacle) -> OpenDescriptor {
        do {
            return OpenDescriptor(try calls.open(path), calls, mark)
        } catch {
            switch error.code {
            case EACCES, EPERM: throw .notPermitted(path: path)
            case EBUSY: throw group.map { .groupBusy(group: $0) } ?? .failed(error)
            // The file is there, its driver is not.
            case ENODEV, ENXIO: throw .noVFIO
            default: throw .failed(error)
            }
        }
    }

    private static func mapErrors<Result: ~Copyable>(
        _ body: () throws(SystemError) -> Result
    ) throws(VFIOObstacle) -> Result {
        do { return try body() } catch { throw .failed(error) }
    }
}
