// Accesses to the memory go side by side; opening, closing, resets and writes to configuration space each go alone. What
// memory_lock is in Linux's vfio-pci-core.

import Glibc

/// A lock that many hold shared or one alone. Whoever waits to be alone goes before those who come later to share it: a
/// guest that reads all the time cannot keep a reset away.
@safe final class AccessLock: @unchecked Sendable {
    // SAFETY (Sendable): a pthread lock, at one address from init to deinit.
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        unsafe lock = .allocate(capacity: 1)
        var attributes = pthread_rwlockattr_t()
        unsafe pthread_rwlockattr_init(&attributes)
        unsafe pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        let status = unsafe pthread_rwlock_init(lock, &attributes)
        precondition(status == 0, "pthread_rwlock_init failed with \(status)")
        unsafe pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_rwlock_destroy(lock)
        unsafe lock.deallocate()
    }

    /// Shared with others. A thread takes it once: behind one that waits to be alone, it would wait for itself.
    func share() {
        let status = unsafe pthread_rwlock_rdlock(lock)
        precondition(status == 0, "pthread_rwlock_rdlock failed with \(status)")
    }

    /// Alone.
    func seize() {
        let status = unsafe pthread_rwlock_wrlock(lock)
        precondition(status == 0, "pthread_rwlock_wrlock failed with \(status)")
    }

    func release() { _ = unsafe pthread_rwlock_unlock(lock) }
}
