// What the host's file systems say about devices, drivers, groups and interrupts: sysfs, /dev and /proc, under roots that a
// test may give.

import Glibc

/// sysfs, /dev and /proc as trees of names and links.
package struct HostFiles: Sendable {
    package let sysfs: String
    package let devices: String
    package let processes: String

    package init(sysfs: String = "/sys", devices: String = "/dev", processes: String = "/proc") {
        self.sysfs = sysfs
        self.devices = devices
        self.processes = processes
    }

    // SAFETY: the text of a string, for the time of the call.
    func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// The last part of what a link points to; nil if there is no link.
    func linkName(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: the address and the size of a local array.
        let length = unsafe readlink(path, &buffer, buffer.count)
        guard length > 0, length < buffer.count else { return nil }
        let target = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return target.split(separator: "/").last.map(String.init)
    }

    /// The names in a directory, sorted; empty if there is none.
    func names(in path: String) -> [String] {
        // SAFETY: `directory` is open from here to `closedir`; an entry is copied before the next is asked for.
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The first line of a small file; nil if it cannot be read.
    func line(_ path: String) -> String? {
        // SAFETY: the text of a string, for the time of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        // SAFETY: the address and the size of a local array.
        let length = unsafe read(descriptor, &buffer, buffer.count)
        guard length > 0 else { return nil }
        return String(decoding: buffer[..<length].prefix { $0 != 0x0A }, as: UTF8.self)
    }
}
