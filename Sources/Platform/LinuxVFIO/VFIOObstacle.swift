// Why a function cannot be had from VFIO, and what to do about it. Whoever reads this has no driver yet: the text must be
// enough to go on.

import Memory

/// What stands between this process and a function.
public enum VFIOObstacle: Error, Equatable, Sendable {
    /// A device of a group, and the driver that has it.
    public struct Holder: Equatable, Sendable, CustomStringConvertible {
        public let device: String
        public let driver: String

        public init(device: String, driver: String) {
            self.device = device
            self.driver = driver
        }

        public var description: String { "\(device) (\(driver))" }
    }

    /// There is no such function.
    case noDevice(PCIAddress)
    /// The machine has no IOMMU in use.
    case iommuOff(PCIAddress)
    /// The machine has one, but not for this function.
    case notBehindIOMMU(PCIAddress)
    /// The group is one of VFIO's no-IOMMU mode: the device would reach all memory.
    case unprotected(PCIAddress)
    /// Another driver has the function, or none.
    case notBound(PCIAddress, driver: String?, moduleIsLoaded: Bool)
    /// There is no /dev/vfio/vfio.
    case noVFIO
    /// There is no file for the group, though vfio-pci has the function.
    case noGroupFile(group: Int)
    case notPermitted(path: String)
    /// Another process has the group.
    case groupBusy(group: Int)
    /// Other drivers have devices of the same group.
    case groupNotViable(group: Int, holders: [Holder])
    /// The kernel speaks of no IOMMU of type 1.
    case noType1
    /// Messages of devices cannot be kept apart.
    case noInterruptRemapping
    /// A call failed for another reason.
    case failed(SystemError)
    /// The kernel's answer makes no sense.
    case badAnswer(String)
}

extension VFIOObstacle: CustomStringConvertible {
    public var description: String { "\(what)\n\(remedy.map { "  \($0)" }.joined(separator: "\n"))" }

    /// One sentence.
    public var what: String {
        switch self {
        case .noDevice(let address): "there is no PCI function \(address)"
        case .iommuOff(let address): "the IOMMU is off: \(address) is in no IOMMU group, and no device is"
        case .notBehindIOMMU(let address): "\(address) is not behind an IOMMU, though this machine has one"
        case .unprotected(let address): "\(address) is in a group of the no-IOMMU mode: it could write to any memory"
        case .notBound(let address, let driver?, _): "\(address) belongs to the driver \(driver), not to vfio-pci"
        case .notBound(let address, nil, _): "\(address) belongs to no driver, it must belong to vfio-pci"
        case .noVFIO: "there is no /dev/vfio/vfio"
        case .noGroupFile(let group): "there is no /dev/vfio/\(group)"
        case .notPermitted(let path): "\(path) may not be opened by this user"
        case .groupBusy(let group): "IOMMU group \(group) is in use by another process"
        case .groupNotViable(let group, let holders):
            holders.isEmpty
                ? "IOMMU group \(group) is not viable"
                : "IOMMU group \(group) is not viable: other drivers have "
                    + holders.map(\.description).joined(separator: ", ")
        case .noType1: "VFIO has no driver for this machine's IOMMU"
        case .noInterruptRemapping: "the IOMMU does not remap interrupts, so a device could raise any"
        case .failed(let error): "\(error)"
        case .badAnswer(let text): "the kernel's answer makes no sense: \(text)"
        }
    }

    /// What to do, a line each; commands stand alone on theirs.
    public var remedy: [String] {
        switch self {
        case .noDevice:
            return ["list the functions there are, with their domains:", "lspci -D"]
        case .iommuOff:
            return [
                "switch VT-d or AMD-Vi on in the firmware's set-up; on Intel also start the kernel with",
                "intel_iommu=on",
                "in a QEMU guest, give the machine `-device intel-iommu,caching-mode=on,intremap=on` as well",
            ]
        case .notBehindIOMMU:
            return ["use a slot whose root port the IOMMU covers; see `ls /sys/class/iommu/*/devices`"]
        case .unprotected:
            return [
                "switch the IOMMU on instead, and unload vfio or clear its parameter:",
                "echo N > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
            ]
        case .notBound(let address, let driver, let moduleIsLoaded):
            let load = moduleIsLoaded ? [] : ["modprobe vfio-pci"]
            let unbind = driver == nil ? [] : ["echo \(address) > /sys/bus/pci/devices/\(address)/driver/unbind"]
            return [
                "bind it; with driverctl, which keeps it so:", "driverctl set-override \(address) vfio-pci",
                "or by hand:",
            ]
                + load + ["echo vfio-pci > /sys/bus/pci/devices/\(address)/driver_override"] + unbind
                + ["echo \(address) > /sys/bus/pci/drivers_probe"]
        case .noVFIO:
            return ["load VFIO:", "modprobe -a vfio-pci vfio_iommu_type1"]
        case .noGroupFile:
            return ["/dev must be a devtmpfs, or udev run; in a container, pass the file in"]
        case .notPermitted(let path):
            return ["give it to the user who runs this:", "chown \"$USER\" \(path)"]
        case .groupBusy(let group):
            return ["see who has it:", "fuser -v /dev/vfio/\(group)"]
        case .groupNotViable(_, let holders):
            return ["a group is lent whole: bind these to vfio-pci too, or to no driver:"]
                + holders.map { "driverctl set-override \($0.device) vfio-pci" }
                + ["or use a slot with a group of its own (a port with ACS)"]
        case .noType1:
            return ["load its driver:", "modprobe vfio_iommu_type1"]
        case .noInterruptRemapping:
            return [
                "switch interrupt remapping on in the firmware (x2APIC, VT-d), or, if every device here is trusted:",
                "echo Y > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
            ]
        case .failed, .badAnswer:
            return ["the kernel's log may say more:", "dmesg | grep -i vfio"]
        }
    }
}
