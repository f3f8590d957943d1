// The lock between software and firmware in front of NVM and PHY, as a lease: it is released on every way out.
// Source: igc_acquire_swfw_sync_i225, igc_get_hw_semaphore_i225.

import Backing
import Clock
import I225Wire
import Registers

/// What software and firmware share.
enum SoftwareFirmwareResource: String, Sendable {
    case nvm = "NVM"
    case phy = "PHY"

    var software: Field<SoftwareFirmwareSync, Bool> { self == .nvm ? .softwareNVM : .softwarePHY }
    var firmware: Field<SoftwareFirmwareSync, Bool> { self == .nvm ? .firmwareNVM : .firmwarePHY }
}

/// NVM or PHY, ours until the value ends.
struct SemaphoreLease<Backing: PCIeBacking>: ~Copyable {
    private let hardware: I225Hardware<Backing>
    private let resource: SoftwareFirmwareResource

    fileprivate init(_ hardware: I225Hardware<Backing>, _ resource: SoftwareFirmwareResource) {
        self.hardware = hardware
        self.resource = resource
    }

    deinit { hardware.releaseSemaphore(resource) }
}

extension I225Hardware {
    func takeSemaphore(_ resource: SoftwareFirmwareResource) throws(DeviceError) -> SemaphoreLease<Backing> {
        let attempts = 200
        for _ in 0..<attempts {
            try takeRegisterSemaphore()
            let owners = bar.read(I225Register.softwareFirmwareSync)
            if !owners[resource.software], !owners[resource.firmware] {
                bar.modify(I225Register.softwareFirmwareSync) { $0[resource.software] = true }
                releaseRegisterSemaphore()
                return SemaphoreLease(self, resource)
            }
            releaseRegisterSemaphore()
            clock.wait(nanoseconds: 5 * millisecond)
        }
        throw error(
            .timedOut,
            "take \(resource.rawValue) semaphore",
            "SW_FW_SYNC was held by others for 1 s, expected free"
        )
    }

    fileprivate func releaseSemaphore(_ resource: SoftwareFirmwareResource) {
        // Without the register semaphore the bit is cleared all the same: a lock that nobody gives back is worse.
        try? takeRegisterSemaphore()
        bar.modify(I225Register.softwareFirmwareSync) { $0[resource.software] = false }
        releaseRegisterSemaphore()
    }

    /// SMBI sets itself when it is read: zero means that it is ours. SWESMBI then asks the firmware.
    private func takeRegisterSemaphore() throws(DeviceError) {
        let timeout = 33 * millisecond
        let interval = 50 * microsecond
        try wait(
            for: I225Register.softwareSemaphore,
            "take register semaphore",
            "SMBI clear",
            timeoutNanoseconds: timeout,
            intervalNanoseconds: interval
        ) { !$0[.taken] }
        let latched = clock.waitUntil(timeoutNanoseconds: timeout, intervalNanoseconds: interval) {
            bar.modify(I225Register.softwareSemaphore) { $0[.softwareOwns] = true }
            let value = bar.read(I225Register.softwareSemaphore)
            return value.raw != ~0 && value[.softwareOwns]
        }
        guard latched else {
            releaseRegisterSemaphore()
            try checkPresent("take register semaphore")
            throw error(.timedOut, "take register semaphore", "SWESMBI reads 0 after 33 ms, expected it to latch")
        }
    }

    private func releaseRegisterSemaphore() {
        bar.modify(I225Register.softwareSemaphore) {
            $0[.taken] = false
            $0[.softwareOwns] = false
        }
    }
}
