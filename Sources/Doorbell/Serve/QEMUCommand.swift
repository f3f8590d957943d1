// What to type so that QEMU has the devices that are served.

/// QEMU's arguments for vfio-user devices, ready to paste into a shell. Needs QEMU 10.1 or newer.
public struct QEMUCommand: Sendable {
    /// Absolute paths of the sockets, one per device.
    public let sockets: [String]

    public init(sockets: [String]) { self.sockets = sockets }

    /// Guest memory must be a shared file: the device reaches it by that file's descriptor, not through QEMU.
    public var text: String {
        var lines = [
            "qemu-system-x86_64 -machine q35,memory-backend=ram -m 1G",
            "-object memory-backend-memfd,id=ram,size=1G,share=on",
        ]
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
