// Whether a descriptor would wake a sleeper now.

import Glibc

func isReadable(_ descriptor: Int32) -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // SAFETY: one pollfd is passed, and it outlives the call.
    return unsafe poll(&wait, 1, 0) == 1
}
