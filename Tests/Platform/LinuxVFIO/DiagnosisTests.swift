// What a user is told who cannot have a function: each reason found in a host's sysfs, and from the kernel's refusals.

import Glibc
import Leases
import LinuxVFIO
import Memory
import Testing

@Suite struct DiagnosisTests {
    private func search(_ host: Host) -> Result<GroupFile, VFIOObstacle> {
        do throws(VFIOObstacle) {
            return .success(try host.files.findGroup(of: Host.address))
        } catch {
            return .failure(error)
        }
    }

    private func open(_ host: Host, _ machine: FakeKernel.Machine) -> VFIOObstacle? {
        do throws(VFIOObstacle) {
            _ = try LinuxVFIO(Host.address, files: host.files, calls: FakeKernel(machine), census: Census())
            return nil
        } catch {
            return error
        }
    }

    @Test func findsTheGroupOfAFunctionThatIsReady() throws {
        let host = try Host.ready()
        #expect(search(host) == .success(GroupFile(number: 7, path: "\(host.root)/dev/vfio/7")))
    }

    @Test func tellsOfAFunctionThatIsNotThere() throws {
        #expect(search(try Host()) == .failure(.noDevice(Host.address)))
    }

    @Test func tellsThatTheIOMMUIsOff() throws {
        let host = try Host()
        try host.addFunction("0000:01:00.0", driver: "igc", group: nil)
        #expect(search(host) == .failure(.iommuOff(Host.address)))
        #expect(VFIOObstacle.iommuOff(Host.address).description.contains("\n  intel_iommu=on\n"))
    }

    @Test func tellsThatTheIOMMUDoesNotCoverTheFunction() throws {
        let host = try Host()
        try host.addFunction("0000:00:02.0", driver: nil, group: 1)
        try host.addFunction("0000:01:00.0", driver: nil, group: nil)
        #expect(search(host) == .failure(.notBehindIOMMU(Host.address)))
    }

    @Test func refusesAGroupWithoutProtection() throws {
        let host = try Host.ready()
        try host.makeFile("sys/kernel/iommu_groups/7/name", "vfio-noiommu\n")
        #expect(search(host) == .failure(.unprotected(Host.address)))
    }

    @Test func tellsWhichDriverHasTheFunctionAndHowToBindIt() throws {
        let host = try Host()
        try host.addFunction("0000:01:00.0", driver: "igc", group: 7)
        let obstacle = VFIOObstacle.notBound(Host.address, driver: "igc", moduleIsLoaded: false)
        #expect(search(host) == .failure(obstacle))
        #expect(obstacle.remedy.contains("driverctl set-override 0000:01:00.0 vfio-pci"))
        #expect(obstacle.remedy.contains("modprobe vfio-pci"))
        #expect(obstacle.remedy.contains("echo 0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind"))
    }

    @Test func namesOnlyTheStepsThatAreMissing() throws {
        let host = try Host()
        try host.addFunction("0000:01:00.0", driver: nil, group: 7)
        try host.makeFolder("sys/bus/pci/drivers/vfio-pci")
        let obstacle = VFIOObstacle.notBound(Host.address, driver: nil, moduleIsLoaded: true)
        #expect(search(host) == .failure(obstacle))
        #expect(!obstacle.remedy.contains { $0.contains("modprobe") || $0.contains("unbind") })
    }

    @Test(arguments: ["mlx5_vfio_pci", "nvgrace-gpu-vfio-pci"]) func takesVFIOsOwnVariants(_ driver: String) throws {
        let host = try Host()
        try host.addFunction("0000:01:00.0", driver: driver, group: 7)
        try host.addVFIO(group: 7)
        #expect(search(host) == .success(GroupFile(number: 7, path: "\(host.root)/dev/vfio/7")))
    }

    @Test func tellsThatThereIsNoVFIO() throws {
        let host = try Host()
        try host.addFunction("0000:01:00.0", driver: "vfio-pci", group: 7)
        #expect(search(host) == .failure(.noVFIO))
        try host.addVFIO(group: nil)
        #expect(search(host) == .failure(.noGroupFile(group: 7)))
    }

    @Test func namesTheDevicesThatHoldTheGroup() throws {
        let host = try Host.ready()
        try host.addFunction("0000:01:00.1", driver: "igc", group: 7)
        try host.addFunction("0000:01:00.2", driver: nil, group: 7)
        try host.addFunction("0000:01:00.3", driver: "pcieport", group: 7)
        try host.addFunction("0000:02:00.0", driver: "nvme", group: 8)
        var machine = FakeKernel.Machine()
        machine.isViable = false
        let holders = [VFIOObstacle.Holder(device: "0000:01:00.1", driver: "igc")]
        let obstacle = VFIOObstacle.groupNotViable(group: 7, holders: holders)
        #expect(open(host, machine) == obstacle)
        #expect(obstacle.what == "IOMMU group 7 is not viable: other drivers have 0000:01:00.1 (igc)")
        #expect(obstacle.remedy.contains("driverctl set-override 0000:01:00.1 vfio-pci"))
    }

    @Test func tellsWhatTheKernelRefuses() throws {
        let host = try Host.ready()
        let group = "\(host.root)/dev/vfio/7"
        var machine = FakeKernel.Machine()
        machine.groupError = EACCES
        #expect(open(host, machine) == .notPermitted(path: group))
        machine.groupError = EBUSY
        #expect(open(host, machine) == .groupBusy(group: 7))
        machine.groupError = nil
        machine.iommuError = EPERM
        #expect(open(host, machine) == .noInterruptRemapping)
        machine.iommuError = ENODEV
        #expect(open(host, machine) == .failed(SystemError("VFIO_SET_IOMMU", code: ENODEV)))
        machine.iommuError = nil
        machine.hasType1 = false
        #expect(open(host, machine) == .noType1)
    }

    @Test func everyReasonSaysWhatToDo() {
        let address = Host.address
        let all: [VFIOObstacle] = [
            .noDevice(address), .iommuOff(address), .notBehindIOMMU(address), .unprotected(address),
            .notBound(address, driver: "igc", moduleIsLoaded: true), .noVFIO, .noGroupFile(group: 1),
            .notPermitted(path: "/dev/vfio/1"), .groupBusy(group: 1), .groupNotViable(group: 1, holders: []), .noType1,
            .noInterruptRemapping, .failed(SystemError("open", code: EIO)), .badAnswer("x"),
        ]
        for obstacle in all {
            #expect(!obstacle.remedy.isEmpty && !obstacle.what.isEmpty)
            #expect(obstacle.description.hasPrefix("\(obstacle.what)\n  "))
        }
    }
}

@Suite struct PCIAddressTests {
    @Test(arguments: [
        ("0000:01:00.0", "0000:01:00.0"), ("01:00.0", "0000:01:00.0"), ("10000:e1:1f.7", "10000:e1:1f.7"),
        ("0000:AB:00.1", "0000:ab:00.1"),
    ])
    func reads(_ text: String, _ canonical: String) { #expect(PCIAddress(text)?.description == canonical) }

    @Test(arguments: [
        "", "01:00", "1:00.0", "01:20.0", "01:00.8", "01:00.00", "0:01:00.0", "0000:01:00.0:", "+1:00.0", "01:00.-",
        "gg:00.0",
        "0000:01:00.0 ",
    ])
    func refuses(_ text: String) { #expect(PCIAddress(text) == nil) }
}
