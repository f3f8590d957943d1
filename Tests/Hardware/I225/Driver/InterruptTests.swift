// Vectors: taken one by one, routed to their queues, given back in any order; and the causes of vector 0.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Interrupts
import Leases
import Netdev
import Registers
import TestCards
import TestFrames
import TestQueues
import Testing
import XSK

@Suite("Interrupts", .overEveryBacking)
struct InterruptTests {
    private static let gap: UInt64 = 49_000

    @Test("Vectors are attached one by one, then exactly those are armed", arguments: 0...4)
    func oneByOne(queueCount: Int) throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        var device = try rig.open(on: recording)
        recording.trace.clear()
        let vectors = try device.enableInterrupts(queueCount: queueCount)
        let entries = recording.trace.entries
        #expect(Array(entries.prefix(queueCount + 1)) == (0...queueCount).map { .attachVector($0) })
        let armed = UInt32(1) << UInt32(queueCount + 1) - 1
        for name in ["EIAC", "EIAM", "EIMS"] {
            #expect(recording.trace.stores.filter { $0.name == name }.map { $0.value } == [armed], "\(name)")
        }
        // Nothing fires before all is routed.
        #expect(recording.trace.stores.suffix(2).map { $0.name } == ["EIMS", "IMS"])
        _ = consume vectors
    }

    @Test("Vectors have the names that Linux's igc gives them, and are placed where the caller's spread says")
    func namesAndPlaces() throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        var device = try rig.open(on: recording)
        #expect(device.vectorStatuses.isEmpty)
        recording.trace.clear()
        var spread = AffinitySpread(.oneThenOneEach, over: Topology([[[0, 1]], [[2, 3]]]), near: 1)
        spread.place(upTo: 4)
        let vectors = try device.enableInterrupts(queueCount: 3, spread: spread)
        let name = rig.backing.name
        #expect(
            device.vectorStatuses == [
                VectorStatus(index: 0, name: name, cpus: [2, 3], firedCount: 0),
                VectorStatus(index: 1, name: "\(name)-TxRx-0", cpus: [2, 3], firedCount: 0),
                VectorStatus(index: 2, name: "\(name)-TxRx-1", cpus: [0, 1], firedCount: 0),
                VectorStatus(index: 3, name: "\(name)-TxRx-2", cpus: [0, 1], firedCount: 0),
            ]
        )
        let hints: [Int] = [2, 2, 0, 0]
        #expect(Array(recording.trace.entries.prefix(4)) == (0..<4).map { .attachVector($0, cpu: hints[$0]) })
        _ = consume vectors
        #expect(device.vectorStatuses.map(\.index) == [0])
    }

    @Test("A queue's frames fire its own vector, and no other", arguments: 0..<4, [true, false])
    func routes(queue: Int, isTransmit: Bool) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.receiveQueueCount = 4
        var device = try rig.open(configuration)
        var vectors = try device.enableInterrupts(queueCount: 4)
        var stack = try rig.stack(device, queue)
        rig.advance(nanoseconds: Self.gap)
        if isTransmit {
            #expect(stack.send(testFrame(1)) == true)
        } else {
            #expect(rig.send(flow(to: queue, configuration)))
        }
        rig.advance(nanoseconds: Self.gap)
        for other in 0..<4 {
            let hasFired = vectors[other]?.consume()
            #expect(hasFired == (other == queue), "vector of queue \(other)")
        }
        #expect(rig.model.counters.messages == (0...4).map { $0 == queue + 1 ? 1 : 0 })
    }

    @Test("A queue without a vector fires none")
    func unrouted() throws {
        let rig = Rig()
        var device = try rig.open()
        let vectors = try device.enableInterrupts(queueCount: 2)
        for queue in 2..<4 {
            var stack = try rig.stack(device, queue)
            #expect(stack.send(testFrame(1)) == true)
            rig.advance(nanoseconds: Self.gap)
        }
        #expect(rig.model.counters.messages == [0, 0, 0, 0, 0])
        _ = consume vectors
    }

    @Test("A vector that fired is silent until it is armed, then tells of what came meanwhile")
    func rearm() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        var device = try rig.open(configuration)
        var vectors = try device.enableInterrupts(queueCount: 1)
        let pair = try device.openQueuePair(0, entries: 64, vector: vectors[0].take())
        var stack = try Stack(pair, on: rig.backing)
        stack.provide(32)
        for number in 0..<3 {
            rig.advance(nanoseconds: Self.gap)
            #expect(rig.send(testFrame(UInt8(number))))
        }
        rig.advance(nanoseconds: Self.gap)
        #expect(rig.model.counters.messages[1] == 1)
        #expect(stack.receive().count == 3)
        stack.pair.arm()
        rig.advance(nanoseconds: Self.gap)
        #expect(rig.model.counters.messages[1] == 2)
        stack.pair.arm()
        rig.advance(nanoseconds: Self.gap)
        #expect(rig.model.counters.messages[1] == 2)
    }

    @Test("The gap between two messages is the configured one", arguments: [0, 1, 20, 8191])
    func gap(microseconds: Int) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.interruptGapMicroseconds = microseconds
        var device = try rig.open(configuration)
        var vectors = try device.enableInterrupts(queueCount: 1)
        let pair = try device.openQueuePair(0, entries: 64, vector: vectors[0].take())
        var stack = try Stack(pair, on: rig.backing)
        rig.advance(nanoseconds: UInt64(microseconds) * 1000)
        #expect(stack.send(testFrame(1)) == true)
        rig.settle()
        #expect(rig.model.counters.messages[1] == 1)
        stack.pair.arm()
        #expect(stack.send(testFrame(2)) == true)
        rig.settle()
        #expect(rig.model.counters.messages[1] == (microseconds == 0 ? 2 : 1))
        rig.advance(nanoseconds: UInt64(microseconds) * 1000)
        #expect(rig.model.counters.messages[1] == 2)
    }

    @Test("The link's fall and rise come by vector 0, again and again")
    func linkChanges() throws {
        let rig = Rig()
        var device = try rig.open()
        #expect(device.otherEventDescriptor() == nil)
        let vectors = try device.enableInterrupts(queueCount: 0)
        let descriptor = device.otherEventDescriptor()
        rig.advance(nanoseconds: Self.gap)
        _ = try device.service()
        for _ in 0..<3 {
            #expect(!isReadable(descriptor))
            rig.model.setCable(plugged: false)
            rig.advance(nanoseconds: Self.gap)
            #expect(isReadable(descriptor))
            #expect(try device.service().linkChanged == true)
            #expect(device.link == .down)
            rig.model.setCable(plugged: true)
            rig.advance(nanoseconds: 5_000_000)
            #expect(isReadable(descriptor))
            #expect(try device.service().linkChanged == true)
            #expect(device.link.speed == 2500)
            #expect(try device.service().linkChanged == false)
            rig.advance(nanoseconds: Self.gap)
        }
        _ = consume vectors
    }

    @Test("Without a vector the link is looked at every 2 s")
    func linkIsPolled() throws {
        let rig = Rig()
        var device = try rig.open()
        _ = try device.service()
        rig.model.setCable(plugged: false)
        rig.advance(nanoseconds: 1_999_000_000)
        #expect(try device.service().linkChanged == false)
        #expect(device.link.isUp)
        rig.advance(nanoseconds: 1_000_000)
        #expect(try device.service().linkChanged == true)
        #expect(!device.link.isUp)
    }

    @Test("TSICR is cleared by reading it; it is not written")
    func timeSyncCause() throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        var device = try rig.open(on: recording)
        let vectors = try device.enableInterrupts(queueCount: 0)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        rig.advance(nanoseconds: Self.gap)
        _ = try device.service()
        recording.trace.clear()
        program.send(testFrame(1), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: Self.gap)
        _ = try device.service()
        let loads = recording.trace.entries.compactMap {
            if case .load(let name, let value) = $0, name == "ICR" || name == "TSICR" { (name, value) } else { nil }
        }
        // ICR first, TSICR after it: the order that clears both (igc_msix_other).
        #expect(loads.map { $0.0 } == ["ICR", "TSICR"])
        #expect(TimeSyncCause(raw: loads.last?.1 ?? 0)[.transmitStamp])
        #expect(!recording.trace.stores.contains { $0.name == "TSICR" })
        #expect(recording.trace.stores.last?.name == "EIMS")
        _ = consume vectors
    }

    @Test("Vectors and card end in any order, and all can be taken again")
    func anyOrder() throws {
        for order in permutations([0, 1, 2, 3, 4]) {
            let rig = Rig()
            do {
                var device: I225Device<CardBacking>? = try rig.open()
                var vectors = try device?.enableInterrupts(queueCount: 4) ?? InlineArray { _ in nil }
                #expect(rig.census.outstanding["interrupt vector"] == 5)
                for which in order {
                    if which == 4 { device = nil } else { vectors[which] = nil }
                }
                #expect(rig.census.outstanding.isEmpty, "order \(order)")
            }
            var again = try rig.open()
            let vectors = try again.enableInterrupts(queueCount: 4)
            #expect(rig.census.outstanding["interrupt vector"] == 5)
            _ = consume vectors
        }
    }

    @Test("Interrupts are enabled once, for 0 to 4 queues; a refusal takes nothing")
    func refusals() throws {
        let rig = Rig()
        var device = try rig.open()
        for queueCount in [-1, 5, .max, .min] {
            let error = #expect(throws: DeviceError.self) { _ = try device.enableInterrupts(queueCount: queueCount) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(rig.census.outstanding["interrupt vector"] == nil)
        let vectors = try device.enableInterrupts(queueCount: 1)
        let again = #expect(throws: DeviceError.self) { _ = try device.enableInterrupts(queueCount: 1) }
        #expect(again?.code == .invalidArgument)
        #expect(rig.census.outstanding["interrupt vector"] == 2)
        _ = consume vectors
    }

    @Test("A vector that somebody else has makes it fail, with all others given back; then it can be tried again")
    func vectorTaken() throws {
        let rig = Rig()
        var device = try rig.open()
        do {
            let other = try rig.backing.attachVector(3, cpu: nil)
            let error = #expect(throws: DeviceError.self) { _ = try device.enableInterrupts(queueCount: 4) }
            #expect(error?.code == .noResource)
            #expect(rig.census.outstanding["interrupt vector"] == 1)
            _ = consume other
        }
        let vectors = try device.enableInterrupts(queueCount: 4)
        #expect(rig.census.outstanding["interrupt vector"] == 5)
        _ = consume vectors
    }

    /// A frame whose hash leads to `queue` of four.
    private func flow(to queue: Int, _ configuration: I225Configuration) -> [UInt8] {
        for number: UInt16 in 0... {
            let ports = big(40_000 + number) + big(UInt16(7))
            let hash = referenceToeplitz([10, 0, 0, 1, 10, 0, 0, 2] + ports, key: configuration.hashKey)
            if hash % 4 == UInt32(queue) { return ipv4Frame(17, udp(from: 40_000 + number, to: 7, payload(40))) }
        }
        return []
    }

    private func permutations(_ items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.flatMap { first in permutations(items.filter { $0 != first }).map { [first] + $0 } }
    }
}
