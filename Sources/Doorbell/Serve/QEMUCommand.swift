// What to type so that QEMU has the devices that are served.

/// QEMU's arguments for vfio-user devices, ready to paste into a shell. Needs QEMU 10.1 or newer.
public struct QEMUCommand: Sendable {
    /// Absolute paths of the sockets, one per device.
    public let sockets: [String]
    public let guest: Guest

    /// What a device needs of the machine that it is plugged into.
    public struct Guest: Sendable, Equatable {
        /// MiB of memory.
        public var memory = 1024
        /// Bits of a physical address; nil: QEMU's 40 do.
        public var addressBits: Int?

        public init() {}
    }

    public init(sockets: [String], guest: Guest = Guest()) {
        self.sockets = sockets
        self.guest = guest
    }

    /// Guest memory must be a shared file: the device reaches it by that file's descriptor, not through QEMU.
    public var text: String {
        let size = guest.memory % 1024 == 0 ? "\(guest.memory / 1024)G" : "\(guest.memory)M"
        var lines = [
            "qemu-system-x86_64 -machine q35,memory-backend=ram -m \(size)",
            "-object memory-backend-memfd,id=ram,size=\(size),share=on",
        ]
        if let bits = guest.addressBits { lines.append("-cpu max,phys-bits=\(bits)") }
        for (index, socket) in sockets.enumerated() {
            let number = index + 1
            lines.append("-device pcie-root-port,id=port\(number),chassis=\(number),slot=\(number)")
            let device =
                #"{"driver":"vfio-user-pci","bus":"port\#(number)","socket":{"type":"unix","path":"\#(json(socket))"}}"#
            lines.append("-device \(shellQuoted(device))")
        }
        return lines.joined(separator: " \\\n    ")
    }

    private func json(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case _ where scalar.value < 0x20:
                "\\u" + String(repeating: "0", count: scalar.value < 16 ? 3 : 2) + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }.joined()
    }

    private func shellQuoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
