// Two network namespaces of this machine, each with a TAP device, and a wire between the two.

import Backing
import Clock
import Ethernet
import Glibc

final class TwoNamespaces {
    let names: [String]
    private let taps: [TAPWire]
    private let loop: PollingLoop

    /// - Parameter label: two letters that set this test's names apart.
    init(_ label: String) throws {
        let suffix = "\(label)\(getpid() % 100_000)"
        names = ["dba" + suffix, "dbb" + suffix]
        let wire = WirePair()
        taps = [
            TAPWire(try TAPDevice(names[0]), port: wire.first, clock: .monotonic),
            TAPWire(try TAPDevice(names[1]), port: wire.second, clock: .monotonic),
        ]
        loop = PollingLoop(taps)
        for (number, name) in names.enumerated() {
            try must("ip netns add \(name)")
            try must("ip link set dev \(name) netns \(name)")
            // No IPv6 address, so no neighbour discovery: the only frames are those of the test.
            _ = try run("ip -n \(name) link set dev \(name) addrgenmode none")
            try must("ip -n \(name) address add 10.98.0.\(number + 1)/24 dev \(name)")
            try must("ip -n \(name) link set dev \(name) up")
        }
    }

    deinit {
        loop.stop()
        for name in names { _ = try? run("ip netns delete \(name)") }
    }

    func counters(_ side: Int) -> TAPCounters {
        var counters = TAPCounters()
        loop.perform { counters = taps[side].counters }
        return counters
    }

    func isDeleted(_ side: Int) -> Bool {
        var isDeleted = false
        loop.perform { isDeleted = taps[side].isDeleted }
        return isDeleted
    }

    /// Changes the TAP device of one side with `ip link set`.
    func link(_ side: Int, _ change: String) throws {
        try must("ip -n \(names[side]) link set dev \(names[side]) \(change)")
    }

    func deleteLink(_ side: Int) throws { try must("ip -n \(names[side]) link delete dev \(names[side])") }

    /// Sends echo requests from the first side to the second; how many answers came.
    func ping(_ count: Int, payloadBytes: Int = 56) throws -> Int {
        let options = "-n -q -c \(count) -i 0.01 -W 1 -s \(payloadBytes)"
        let result = try run("ip netns exec \(names[0]) ping \(options) 10.98.0.2")
        // "20 packets transmitted, 20 received, 0% packet loss, time 191ms"
        let words = result.output.split(whereSeparator: { " \n,".contains($0) })
        guard let index = words.firstIndex(of: "received"), let received = Int(words[index - 1]) else {
            throw ToolFailed(output: result.output)
        }
        return received
    }

    private func must(_ command: String) throws {
        let result = try run(command)
        guard result.status == 0 else { throw ToolFailed(output: "\(command): \(result.output)") }
    }

    struct ToolFailed: Error { var output: String }
}
