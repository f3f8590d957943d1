// A host's sysfs and /dev, made in a temporary folder: just the names and links that VFIO's diagnosis looks at.

import Foundation
import LinuxVFIO

final class Host {
    let root: String
    var files: HostFiles { HostFiles(sysfs: "\(root)/sys", devices: "\(root)/dev") }
    static let address = PCIAddress("0000:01:00.0") ?? { fatalError("an address") }()

    init() throws {
        root = NSTemporaryDirectory() + "doorbell-vfio-\(UUID().uuidString)"
        try makeFolder("sys/class/iommu")
        try makeFolder("dev")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: true)
    }

    func makeFile(_ path: String, _ text: String = "") throws {
        try makeFolder((path as NSString).deletingLastPathComponent)
        try text.write(toFile: "\(root)/\(path)", atomically: true, encoding: .utf8)
    }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(root)/\(path)", withDestinationPath: "\(root)/\(target)")
    }

    /// A function, its driver if it has one, its group if the machine has an IOMMU.
    func addFunction(_ name: String, driver: String?, group: Int?) throws {
        try makeFolder("sys/bus/pci/devices/\(name)")
        if let driver {
            try makeFolder("sys/bus/pci/drivers/\(driver)")
            try link("sys/bus/pci/devices/\(name)/driver", to: "sys/bus/pci/drivers/\(driver)")
        }
        if let group {
            try makeFolder("sys/class/iommu/dmar0")
            try makeFolder("sys/kernel/iommu_groups/\(group)/devices")
            try link("sys/kernel/iommu_groups/\(group)/devices/\(name)", to: "sys/bus/pci/devices/\(name)")
            try link("sys/bus/pci/devices/\(name)/iommu_group", to: "sys/kernel/iommu_groups/\(group)")
        }
    }

    /// /dev/vfio/vfio, and the group's file if VFIO has it.
    func addVFIO(group: Int?) throws {
        try makeFile("dev/vfio/vfio")
        if let group { try makeFile("dev/vfio/\(group)") }
    }

    /// A host on which nothing is missing.
    static func ready() throws -> Host {
        let host = try Host()
        try host.addFunction("0000:01:00.0", driver: "vfio-pci", group: 7)
        try host.addVFIO(group: 7)
        return host
    }
}
