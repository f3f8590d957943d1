// Vectors for the queues of all ports of a card, and for queues that come and go.

import Backing
import Foundation
import Interrupts
import Leases
import MANADriver
import MANAModel
import MANAWire
import Synchronization
import TestQueues
import Testing

/// A device that two threads look at.
private final class DeviceHolder: @unchecked Sendable {
    // SAFETY (Sendable): what the other thread asks for is behind the driver's own lock.
    let device: MANADevice<Card>
    init(_ device: consuming MANADevice<Card>) { self.device = device }
}

@Suite("MANA: vectors of several ports", .overEveryBacking)
struct PortVectorTests {
    @Test("A card with two ports gets vectors for the queues of both, if it offers them")
    func bothPorts() throws {
        let rig = Rig { $0.limits.ports = 2 }
        var configuration = MANAConfiguration()
        configuration.queueLimit = 3
        do {
            let device = try rig.open(configuration)
            same(device.portCount, 2)
            same(device.queueCount, 3)
            same(device.vectorStory.taken, 7)
            let first = try device.openPort(0)
            let second = try device.openPort(1)
            var numbers: [Int?] = []
            for queue in 0..<3 { numbers.append(try first.openQueuePair(queue, entries: 128).vectorIndex) }
            #expect(numbers == [1, 2, 3], "each ended before the next: the number is its own")
            let first0 = try first.openQueuePair(0, entries: 128)
            let first1 = try first.openQueuePair(1, entries: 128)
            let first2 = try first.openQueuePair(2, entries: 128)
            let second0 = try second.openQueuePair(0, entries: 128)
            let second1 = try second.openQueuePair(1, entries: 128)
            let second2 = try second.openQueuePair(2, entries: 128)
            same([first0.vectorIndex, first1.vectorIndex, first2.vectorIndex], [1, 2, 3])
            same([second0.vectorIndex, second1.vectorIndex, second2.vectorIndex], [4, 5, 6])
            #expect(device.vectorStatuses.map(\.index) == Array(0...6))
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test("Queues that wake: the frames of each port fire its own vector")
    func bothWake() throws {
        let rig = Rig { $0.limits.ports = 2 }
        var configuration = MANAConfiguration()
        configuration.queueLimit = 1
        let device = try rig.open(configuration)
        let first = try device.openPort(0)
        let second = try device.openPort(1)
        var here = try rig.stack(first)
        var there = try rig.stack(second)
        try first.steer()
        try second.steer()
        here.pair.arm()
        there.pair.arm()
        same([here.pair.vectorIndex, there.pair.vectorIndex], [1, 2])
        var station = stationBytes
        station[5] += 1
        #expect(rig.send(testFrame(7, to: station)))
        rig.settle()
        same([isReadable(here.pair.eventDescriptor), isReadable(there.pair.eventDescriptor)], [false, true])
        same(there.receive().map(\.bytes), [testFrame(7, to: station)])
        #expect(rig.send(testFrame(8)))
        rig.settle()
        same(isReadable(here.pair.eventDescriptor), true)
        same(here.receive().map(\.bytes), [testFrame(8)])
    }

    @Test(
        "Where vectors are short, the ports take them in turn, the rest is polled, and one that is free again is used"
    )
    func short() throws {
        let rig = Rig {
            $0.limits.ports = 2
            $0.limits.vectors = 3
        }
        do {
            let device = try rig.open()
            same(device.vectorStory.taken, 3)
            same(device.queueCount, 2)
            let first = try device.openPort(0)
            let second = try device.openPort(1)
            let one = try first.openQueuePair(0, entries: 128)
            do {
                let two = try second.openQueuePair(0, entries: 128)
                let three = try first.openQueuePair(1, entries: 128)
                same([one.vectorIndex, two.vectorIndex, three.vectorIndex], [1, 2, nil])
                _ = consume two
                let four = try second.openQueuePair(1, entries: 128)
                same(four.vectorIndex, 2)
            }
            #expect(rig.hooks.attached.map(\.index) == [0, 1, 2, 2])
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test("No lock is held while a vector is attached: vector 0 can be looked at meanwhile")
    func attachesUnlocked() throws {
        let rig = Rig()
        let holder = DeviceHolder(try rig.open())
        let port = try holder.device.openPort()
        do { _ = try port.openQueuePair(0, entries: 128) }
        // The vector was given back with its queue: opening it again attaches it anew.
        let gotThrough = Mutex<[Bool]>([])
        rig.hooks.whileAttaching = { _ in
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                _ = holder.device.channelEventDescriptor()
                done.signal()
            }
            gotThrough.withLock { $0.append(done.wait(timeout: .now() + 20) == .success) }
        }
        let pair = try port.openQueuePair(0, entries: 128)
        same(pair.vectorIndex, 1)
        #expect(gotThrough.withLock { $0 } == [true])
    }
}
