// What this machine lets a test do. Said by doing it: a container may show a device and deny its use.

import Glibc

enum Host {
    static var isRoot: Bool { geteuid() == 0 }

    static let hasTAPs = works(
        "ip tuntap add dev \(probe) mode tap",
        undoneBy: "ip tuntap del dev \(probe) mode tap"
    )

    static let hasNamespaces =
        findTool("ping") != nil && works("ip netns add \(probe)", undoneBy: "ip netns delete \(probe)")

    private static var probe: String { "dbprobe\(getpid() % 100_000)" }

    private static func works(_ command: String, undoneBy undo: String) -> Bool {
        guard isRoot, findTool("ip") != nil, let result = try? run(command), result.status == 0 else { return false }
        return (try? run(undo)) != nil
    }
}
