// Why a TAP device could not be opened, and what to do about it.

import Glibc
import Memory

/// A TAP device that could not be opened.
public enum TAPError: Error, Equatable, CustomStringConvertible {
    /// No network interface can have this name.
    case notAName(String)
    /// Linux has no TUN/TAP driver, or does not show it here.
    case noDriver(SystemError)
    case notPermitted(name: String)
    /// Another program has it open.
    case busy(name: String)
    /// The interface exists and is something else.
    case notATAP(name: String)
    case failed(name: String, SystemError)

    /// What an errno of the driver means: `tun_set_iff` and `tun_not_capable` in drivers/net/tun.c, Linux 6.12.
    init(opening name: String, code: Int32) {
        switch code {
        case ENOENT, ENODEV, ENXIO: self = .noDriver(SystemError("open /dev/net/tun", code: code))
        case EACCES, EPERM: self = .notPermitted(name: name)
        case EBUSY: self = .busy(name: name)
        case EINVAL: self = .notATAP(name: name)
        default: self = .failed(name: name, SystemError("open TAP device", code: code))
        }
    }

    public var description: String {
        switch self {
        case .notAName(let name):
            return "'\(name)' is no name of an interface: 1 to 15 bytes without white space and / : %"
        case .noDriver(let cause):
            return "no TUN/TAP driver (\(cause)): load it with 'modprobe tun'; "
                + "a container needs the device /dev/net/tun"
        case .notPermitted(let name):
            return "not permitted to open TAP device '\(name)': run as root, or let root prepare it with "
                + "'ip tuntap add dev \(name) mode tap user NAME'"
        case .busy(let name):
            return "TAP device '\(name)' is open in another program: end that, or take another name"
        case .notATAP(let name):
            return "interface '\(name)' is no TAP device with one queue: take another name, or see what it is with "
                + "'ip -details link show dev \(name)'"
        case .failed(let name, let cause):
            return "TAP device '\(name)': \(cause)"
        }
    }
}
