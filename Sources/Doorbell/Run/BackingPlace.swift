// Where the card is that a command drives: in this process, at an address of the machine, or in another process.

import LinuxVFIO

/// What `--backing` names.
public enum BackingPlace: Sendable, Equatable {
    /// A virtual card in this process: `virtual`.
    case virtual
    /// A function of this machine, lent by VFIO: `vfio:0000:01:00.0`.
    case vfio(PCIAddress)
    /// A device that another process serves at a Unix socket: `vfio-user:PATH`.
    case vfioUser(path: String)

    /// nil: not a place.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("virtual", 1): self = .virtual
        case ("vfio", 2):
            guard let address = PCIAddress(String(parts[1])) else { return nil }
            self = .vfio(address)
        case ("vfio-user", 2) where !parts[1].isEmpty: self = .vfioUser(path: String(parts[1]))
        default: return nil
        }
    }
}
