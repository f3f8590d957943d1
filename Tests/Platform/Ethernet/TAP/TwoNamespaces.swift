// Two network namespaces of this machine, each with a TAP device, and a wire between the two.
// SAFETY (all of this file): addresses and sizes of locals, for the length of a call.

import Backing
import Clock
import Ethernet
import Glibc

final class TwoNamespaces {
    let names: [String]
    private let taps: [TAPWire]
    private let loop: PollingLoop

    /// - Parameter label: two letters that set this test's names apart.
    init(_ label: String, takesTrains: Bool = false) throws {
        let suffix = "\(label)\(getpid() % 100_000)"
        names = ["dba" + suffix, "dbb" + suffix]
        let wire = WirePair()
        taps = [
            TAPWire(try TAPDevice(names[0], takesTrains: takesTrains), port: wire.first, clock: .monotonic),
            TAPWire(try TAPDevice(names[1], takesTrains: takesTrains), port: wire.second, clock: .monotonic),
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

    /// Packets that Linux has had from the wire on one side.
    func receivedPackets(_ side: Int) throws -> UInt64 {
        let output = try run("ip -n \(names[side]) -s link show dev \(names[side])").output
        // "RX:  bytes packets errors …" and the numbers on the next line.
        let lines = output.split(separator: "\n").map { $0.split(separator: " ") }
        guard let title = lines.firstIndex(where: { $0.first == "RX:" }), let count = UInt64(lines[title + 1][1]) else {
            throw ToolFailed(output: output)
        }
        return count
    }

    /// A TCP connection from the first side to the second.
    func connectTCP() throws -> TCPConnection {
        let listener = try socket(1)
        defer { close(listener) }
        let sender = try socket(0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(7777).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x0A62_0002).bigEndian)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = unsafe withUnsafeBytes(of: &address) { bytes in
            let address = unsafe bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            return unsafe bind(listener, address, length) == 0 && listen(listener, 1) == 0
                && connect(sender, address, length) == 0
        }
        guard isConnected else { throw ToolFailed(output: "connect: errno \(errno)") }
        return TCPConnection(sender: sender, receiver: accept(listener, nil, nil))
    }

    /// A socket of one side's network stack: it stays there, whatever thread uses it.
    private func socket(_ side: Int) throws -> Int32 {
        var result: Int32 = -1
        // A thread that enters a namespace is not to be used for anything else.
        let visitor = PollingLoop([])
        visitor.perform {
            let namespace = unsafe open("/run/netns/\(names[side])", O_RDONLY | O_CLOEXEC)
            defer { close(namespace) }
            // Glibc's module does not show it.
            typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
            guard let symbol = unsafe dlsym(nil, "setns") else { return }
            let setNamespace = unsafe unsafeBitCast(symbol, to: SetNamespace.self)
            // CLONE_NEWNET.
            guard setNamespace(namespace, 0x4000_0000) == 0 else { return }
            result = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        }
        visitor.stop()
        guard result >= 0 else { throw ToolFailed(output: "socket in \(names[side]): errno \(errno)") }
        return result
    }

    private func must(_ command: String) throws {
        let result = try run(command)
        guard result.status == 0 else { throw ToolFailed(output: "\(command): \(result.output)") }
    }

    struct ToolFailed: Error { var output: String }
}

/// Two connected sockets.
final class TCPConnection {
    private let sender: Int32
    private let receiver: Int32

    fileprivate init(sender: Int32, receiver: Int32) {
        self.sender = sender
        self.receiver = receiver
    }

    deinit {
        close(sender)
        close(receiver)
    }

    /// Sends all of `bytes`; what arrived, after ten seconds at the latest.
    func carry(_ bytes: [UInt8]) throws -> [UInt8] {
        var sent = 0
        var received: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        let end = DeviceClock.monotonic.now + 10_000_000_000
        while received.count < bytes.count, DeviceClock.monotonic.now < end {
            if sent < bytes.count {
                let count = unsafe bytes[sent...].withUnsafeBytes {
                    unsafe send(sender, $0.baseAddress, $0.count, dontWait)
                }
                sent += max(0, count)
            }
            let count = unsafe recv(receiver, &part, part.count, dontWait)
            if count > 0 { received += part[0..<count] }
        }
        return received
    }

    private var dontWait: Int32 { Int32(MSG_DONTWAIT) }
}
