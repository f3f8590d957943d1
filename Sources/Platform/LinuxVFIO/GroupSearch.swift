// From a function's address to the file of its IOMMU group, or to what is missing on the way. Nothing is changed: binding
// a function is the administrator's decision.
// Source: Documentation/driver-api/vfio.rst; drivers/iommu/iommu.c (`driver_managed_dma`).

/// What must be opened for a function.
package struct GroupFile: Sendable, Equatable {
    package let number: Int
    package let path: String

    package init(number: Int, path: String) {
        self.number = number
        self.path = path
    }
}

extension HostFiles {
    private func device(_ address: PCIAddress) -> String { "\(sysfs)/bus/pci/devices/\(address)" }

    var container: String { "\(devices)/vfio/vfio" }

    /// The group of `address`, if the function is ready to be lent.
    package func findGroup(of address: PCIAddress) throws(VFIOObstacle) -> GroupFile {
        let device = device(address)
        guard exists(device) else { throw .noDevice(address) }
        guard let link = linkName("\(device)/iommu_group"), let number = Int(link) else {
            throw names(in: "\(sysfs)/class/iommu").isEmpty ? .iommuOff(address) : .notBehindIOMMU(address)
        }
        guard line("\(device)/iommu_group/name") != "vfio-noiommu" else { throw .unprotected(address) }
        let driver = linkName("\(device)/driver")
        guard let driver, Self.isOfVFIO(driver) else {
            let isLoaded = exists("\(sysfs)/bus/pci/drivers/vfio-pci")
            throw .notBound(address, driver: driver, moduleIsLoaded: isLoaded)
        }
        guard exists(container) else { throw .noVFIO }
        let path = "\(devices)/vfio/\(number)"
        guard exists(path) else { throw .noGroupFile(group: number) }
        return GroupFile(number: number, path: path)
    }

    /// The devices of the group of `address` that keep it from being lent, with their drivers.
    package func holders(inGroupOf address: PCIAddress) -> [VFIOObstacle.Holder] {
        let group = "\(device(address))/iommu_group/devices"
        return names(in: group).compactMap { name in
            guard let driver = linkName("\(group)/\(name)/driver"), !Self.isHarmless(driver) else { return nil }
            return VFIOObstacle.Holder(device: name, driver: driver)
        }
    }

    /// vfio-pci and its variants for one family each: mlx5_vfio_pci, nvgrace-gpu-vfio-pci.
    private static func isOfVFIO(_ driver: String) -> Bool {
        String(driver.map { $0 == "_" ? "-" : $0 }).hasSuffix("vfio-pci")
    }

    /// Drivers that map no memory for their device, or leave that to others.
    private static func isHarmless(_ driver: String) -> Bool {
        isOfVFIO(driver) || ["pci-stub", "pcieport"].contains(driver)
    }
}
