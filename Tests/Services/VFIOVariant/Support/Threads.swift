// Threads of a test, all at once.

import Glibc

/// What a thread runs.
private final class Job: @unchecked Sendable {
    // SAFETY (Sendable): each thread has its own, made before it starts.
    let index: Int
    let body: @Sendable (Int) -> Void

    init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
        self.index = index
        self.body = body
    }
}

/// Runs `body` in `count` threads and waits for all.
func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { index in
        var thread = pthread_t()
        let job = unsafe Unmanaged.passRetained(Job(index, body)).toOpaque()
        let status = unsafe pthread_create(&thread, nil, runJob, job)
        precondition(status == 0, "pthread_create failed with \(status)")
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}

private func runJob(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // SAFETY: `inThreads` passed it, retained, for this call to release.
    if let context = unsafe context {
        let job = unsafe Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
        job.body(job.index)
    }
    return nil
}
