// Our client at our server: the accesses of a driver, through the view that it has of a BAR.

import Backing
import I225Model
import Leases
import Measure
import PCIe
import VFIOUser

/// A card behind our server on a thread of its own, and a driver's view of its registers.
final class Driven {
    private let loop: PollingLoop
    private let backing: VFIOUserBacking
    private let bar: VFIOUserBAR

    /// - Parameter posts: whether stores wait for no reply.
    init(_ model: I225Model, cpu: Int, posts: Bool) throws {
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(model, connection: try .duplicate(of: pair.second.raw))
        loop = PollingLoop([server], cpu: cpu)
        var options = VFIOUserOptions()
        options.postsStores = posts
        backing = try VFIOUserBacking(
            try .duplicate(of: pair.first.raw),
            name: "benchmark",
            options: options,
            census: Census()
        )
        bar = try backing.mapBAR(0)
        try backing.writeConfig(0x04, .word, 0x6)
        bar.store(UInt32(Target.register), Target.value)
        guard bar.load(UInt32(Target.register)) == Target.value else {
            fail("vfio-user: our client did not reach the register")
        }
    }

    deinit { loop.stop() }

    /// `count` messages of `operation`, after some that do not count; nanoseconds for each access.
    func round(_ operation: Operation, _ count: Int) -> Double {
        _ = time(operation, count / 10 + 1)
        return Double(time(operation, count)) / Double(count * operation.accessesPerMessage)
    }

    private func time(_ operation: Operation, _ count: Int) -> UInt64 {
        let start = monotonicNanoseconds()
        switch operation {
        case .read: for _ in 0..<count { load() }
        case .write: for _ in 0..<count { store() }
        case .posted:
            for _ in 0..<count { store() }
            load()
        case .postedMultiple:
            for _ in 0..<count { bar.together { for _ in 0..<operation.accessesPerMessage { store() } } }
            load()
        case .read4K, .read1M: fail("vfio-user: no driver reads memory by message")
        }
        return monotonicNanoseconds() - start
    }

    private func store() { bar.store(UInt32(Target.register), Target.value) }

    private func load() {
        guard bar.load(UInt32(Target.register)) == Target.value else {
            fail("vfio-user: our client read another value")
        }
    }
}
