// What this machine lets a test do.

import Glibc

enum Host {
    static var isRoot: Bool { geteuid() == 0 }

    /// Whether TAP devices can be made here; said with a real one, for a container may show the file and deny the use.
    static var canMakeTAPs: Bool {
        guard isRoot, findTool("ip") != nil, findTool("ping") != nil else { return false }
        let name = "dbprobe\(getpid() % 100_000)"
        guard let result = try? run("ip tuntap add dev \(name) mode tap"), result.status == 0 else { return false }
        _ = try? run("ip tuntap del dev \(name) mode tap")
        return true
    }
}
