// Which CPU handles a function's messages before they reach the eventfd. vfio-pci calls the interrupt of MSI-X vector 2 of
// 0000:01:00.0 `vfio-msix[2](0000:01:00.0)` (vfio_pci_intrs.c, Linux 6.12); its number is at the start of its line in
// /proc/interrupts, and /proc/irq/NUMBER/smp_affinity_list takes the CPU (Documentation/core-api/irq/irq-affinity.rst).

import Glibc

extension HostFiles {
    /// Has `cpu` handle the messages of a vector that is attached. A hint: without the privilege, or where the interrupt
    /// cannot move, it stays where the kernel has put it, and the answer is false.
    @discardableResult
    func place(vector: Int, of address: PCIAddress, on cpu: Int) -> Bool {
        guard let interrupt = interruptNumber(named: "vfio-msix[\(vector)](\(address))") else { return false }
        return write("\(cpu)\n", to: "\(processes)/irq/\(interrupt)/smp_affinity_list")
    }

    /// The number of the interrupt whose handler has this name.
    private func interruptNumber(named name: String) -> Int? {
        for line in text("\(processes)/interrupts").split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.last == name[...], let first = words.first, first.hasSuffix(":") else { continue }
            return Int(first.dropLast())
        }
        return nil
    }

    /// All of a file; empty if it cannot be read.
    private func text(_ path: String) -> String {
        // SAFETY: the text of a string, for the time of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            // SAFETY: the address and the size of a local array.
            let length = unsafe read(descriptor, &buffer, buffer.count)
            guard length > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<length]
        }
    }

    private func write(_ text: String, to path: String) -> Bool {
        // SAFETY: the text of a string, for the time of the call.
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        let bytes = Array(text.utf8)
        // SAFETY: the address and the size of a local array.
        return unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }
}
