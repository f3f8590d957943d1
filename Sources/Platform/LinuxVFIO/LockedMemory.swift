// What VFIO locks counts against the process's limit of locked memory (RLIMIT_MEMLOCK); the kernel only says "no memory".
// Source: drivers/vfio/vfio_iommu_type1.c (vfio_lock_acct, vfio_pin_pages_remote).

import Glibc
import Memory

/// What is locked for one function, and how much may be.
struct LockedMemory {
    /// Bytes mapped for the device now.
    var mappedBytes: UInt64 = 0
    /// nil: no limit.
    var limit: UInt64?

    /// Why a mapping of `byteCount` bytes failed with `error`, and what to do.
    func explain(_ error: SystemError, byteCount: Int, mappingsLeft: UInt32?) -> (isLimit: Bool, text: String) {
        let need = mappedBytes + UInt64(byteCount)
        if error.code == ENOSPC {
            let left = mappingsLeft.map { "; the container had room for \($0) at the start" } ?? ""
            return (
                true,
                "\(error): no more mappings\(left); raise /sys/module/vfio_iommu_type1/parameters/dma_entry_limit"
            )
        }
        guard error.code == ENOMEM, let limit, need > limit else { return (false, "\(error)") }
        return (
            true,
            "\(byteCount) bytes cannot be locked: the limit of locked memory is \(limit) bytes, and with \(mappedBytes)"
                + " mapped already \(need) are needed; raise it: `ulimit -l \((need + 1023) / 1024)` as root, "
                + "LimitMEMLOCK=\(need) in a service, or the capability CAP_IPC_LOCK"
        )
    }
}
