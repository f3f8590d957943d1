// Whether somebody who sleeps would be woken, without sleeping.

import Glibc

/// Whether a thread that sleeps on `descriptor` would wake.
func isReadable(_ descriptor: Int32?) -> Bool {
    guard let descriptor else { return false }
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // SAFETY: the address of one local.
    return unsafe poll(&wait, 1, 0) == 1
}
