import Foundation

/// Puts this process, and the ones that it starts, before the rest of the machine, where that is allowed. Both sides of a
/// ratio gain the same.
public func raisePriority() {
    _ = nice(-20)
}

/// Puts the calling thread, and those that it starts, before everything that is not real-time, where that is allowed: a
/// nice value counts among the processes of one session only (sched(7), "The autogroup feature"). Not for more threads than
/// there are CPUs to spare.
public func runInRealTime() {
    var parameters = sched_param(sched_priority: 1)
    // SAFETY: the address of a local.
    _ = unsafe sched_setscheduler(0, Int32(SCHED_RR), &parameters)
}
