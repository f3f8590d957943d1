// Whether a descriptor is open, for tests.

import Glibc

func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) != -1 }
