// Mutual exclusion for a connection that many threads use, and that one of them may hold over several accesses.

import Glibc

/// A lock that its holder may take again.
@safe package final class RecursiveLock: @unchecked Sendable {
    // SAFETY (Sendable): a pthread mutex, at one address from init to deinit.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init() {
        unsafe mutex = .allocate(capacity: 1)
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
        let status = unsafe pthread_mutex_init(mutex, &attributes)
        precondition(status == 0, "pthread_mutex_init failed with \(status)")
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    package func lock() {
        let status = unsafe pthread_mutex_lock(mutex)
        precondition(status == 0, "pthread_mutex_lock failed with \(status)")
    }

    package func tryLock() -> Bool { unsafe pthread_mutex_trylock(mutex) == 0 }

    package func unlock() { _ = unsafe pthread_mutex_unlock(mutex) }
}
