// Where the card is that a command drives: in this process, or at an address of the machine.

import LinuxVFIO

/// What `--backing` names.
public enum BackingPlace: Sendable, Equatable {
    /// A virtual card in this process: `virtual`.
    case virtual
    /// A function of this machine, lent by VFIO: `vfio:0000:01:00.0`.
    case vfio(PCIAddress)

    /// nil: not a place.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("virtual", 1): self = .virtual
        case ("vfio", 2):
            guard let address = PCIAddress(String(parts[1])) else { return nil }
            self = .vfio(address)
        default: return nil
        }
    }
}
