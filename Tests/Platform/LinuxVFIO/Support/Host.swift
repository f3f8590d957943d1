// A host's sysfs and /dev, made in a temporary folder: just the names and links that VFIO's diagnosis looks at.

import Foundation
import LinuxVFIO

final class Host {
    let root: String
    var files: HostFiles {
        HostFiles(sysfs: "\(root)/sys", devices: "\(root)/dev", processes: "\(root)/proc")
    }
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

    /// /proc/interrupts, with a line per name, numbered from 30 on; each may be placed.
    func addInterrupts(_ names: [String]) throws {
        let lines = names.enumerated().map { " \(30 + $0):  0  7  IR-PCI-MSIX-0000:01:00.0  \($0)-edge  \($1)" }
        try makeFile(
            "proc/interrupts",
            "     CPU0  CPU1\n" + lines.joined(separator: "\n") + "\nNMI:  0  0  Non-maskable\n"
        )
        for number in names.indices { try makeFile("proc/irq/\(30 + number)/smp_affinity_list", "") }
    }

    /// Where the interrupt is to be handled that has the place `number` among those added.
    func affinity(_ number: Int) throws -> String {
        try String(contentsOfFile: "\(root)/proc/irq/\(30 + number)/smp_affinity_list", encoding: .utf8)
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
