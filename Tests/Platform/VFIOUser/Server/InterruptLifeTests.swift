// SET_IRQS as QEMU uses it: vectors before, while and after they are in use, the line with its mask, and what resets do.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct InterruptLifeTests {
    private func fire(_ bench: Bench, _ vector: UInt32) throws {
        try bench.client.write32(region: 0, SampleDevice.Offset.fire, vector)
    }

    @Test func vectorsSignalTheirEventDescriptors() throws {
        let bench = try Bench()
        let events = [EventBox(), EventBox(), EventBox()]
        try bench.client.setInterrupts(
            .eventDescriptors,
            .trigger,
            .msix,
            start: 4,
            count: 3,
            descriptors: events.map { $0.raw }
        )
        try fire(bench, 5)
        try fire(bench, 5)
        #expect(events.map { $0.take() } == [0, 2, 0])
        // One that nobody has asked for is pending in the device, and comes once somebody has.
        try fire(bench, 7)
        #expect(try bench.client.read32(region: 0, SampleDevice.Offset.pending) == 1 << 7)
        let late = EventBox()
        try bench.client.setInterrupts(.eventDescriptors, .trigger, .msix, start: 7, count: 1, descriptors: [late.raw])
        #expect(late.take() == 1)
        #expect(try bench.client.read32(region: 0, SampleDevice.Offset.pending) == 0)
    }

    /// More vectors than one message has room for come in several messages, while the first are in use.
    @Test func vectorsInChunks() throws {
        let bench = try Bench()
        let events = (0..<20).map { _ in EventBox() }
        for start in stride(from: 0, to: 20, by: 8) {
            let chunk = events[start..<min(20, start + 8)].map { $0.raw }
            try bench.client.setInterrupts(
                .eventDescriptors,
                .trigger,
                .msix,
                start: UInt32(start),
                count: UInt32(chunk.count),
                descriptors: chunk
            )
            try fire(bench, 0)
        }
        for vector in 0..<20 { try fire(bench, UInt32(vector)) }
        #expect(events.map { $0.take() } == [4] + [UInt64](repeating: 1, count: 19))
    }

    @Test func noDescriptorsTakeAwayAndCountZeroDisables() throws {
        let bench = try Bench()
        var changes: [VectorChange] = []
        bench.server.onVectors = { changes.append($0) }
        let events = [EventBox(), EventBox()]
        try bench.client.setInterrupts(
            .eventDescriptors,
            .trigger,
            .msix,
            count: 2,
            descriptors: events.map { $0.raw }
        )
        try bench.client.setInterrupts(.eventDescriptors, .trigger, .msix, start: 0, count: 1)
        try fire(bench, 0)
        try fire(bench, 1)
        #expect(events.map { $0.take() } == [0, 1])
        try bench.client.setInterrupts(.none, .trigger, .msix, count: 0)
        try fire(bench, 1)
        #expect(events.map { $0.take() } == [0, 0])
        // Both wait in the device for the next owner.
        #expect(try bench.client.read32(region: 0, SampleDevice.Offset.pending) == 3)
        #expect(changes == [.attached(0..<2), .detached([0]), .detached([1])])
    }

    /// QEMU disables each kind that it knows of.
    @Test func disablingOneKindLeavesTheOthers() throws {
        let bench = try Bench()
        let event = EventBox()
        try bench.client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
        for kind in InterruptKind.allCases where kind != .msix {
            try bench.client.setInterrupts(.none, .trigger, kind, count: 0)
        }
        try fire(bench, 0)
        #expect(event.take() == 1)
    }

    @Test func theClientCanFireThem() throws {
        let bench = try Bench()
        let event = EventBox()
        try bench.client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
        try bench.client.setInterrupts(.none, .trigger, .msix, count: 2)
        #expect(event.take() == 1)
        try bench.client.ask(.setInterrupts) {
            SetInterruptsRequest(data: .bools, action: .trigger, index: 2, start: 0, count: 2).write(to: &$0)
            $0.append(UInt8(0))
            $0.append(UInt8(1))
        }
        #expect(event.take() == 0)
        for kind in [InterruptKind.error, .request] {
            try bench.client.setInterrupts(.eventDescriptors, .trigger, kind, count: 1, descriptors: [event.raw])
            try bench.client.setInterrupts(.none, .trigger, kind, count: 1)
            #expect(event.take() == 1)
        }
    }

    /// INTx: one signal, then none until it is unmasked; then at once if the line is still asserted.
    @Test func theLine() throws {
        let bench = try Bench()
        let event = EventBox()
        try bench.client.setInterrupts(.eventDescriptors, .trigger, .line, count: 1, descriptors: [event.raw])
        try bench.client.write32(region: 0, SampleDevice.Offset.line, 1)
        #expect(event.take() == 1)
        try bench.client.write32(region: 0, SampleDevice.Offset.line, 1)
        _ = bench.server.poll()
        #expect(event.take() == 0)
        try bench.client.setInterrupts(.none, .unmask, .line, count: 1)
        #expect(event.take() == 1, "still asserted")
        try bench.client.write32(region: 0, SampleDevice.Offset.line, 0)
        try bench.client.setInterrupts(.none, .unmask, .line, count: 1)
        #expect(event.take() == 0)
        try bench.client.setInterrupts(.none, .mask, .line, count: 1)
        try bench.client.write32(region: 0, SampleDevice.Offset.line, 1)
        #expect(event.take() == 0)
        try bench.client.setInterrupts(.none, .unmask, .line, count: 1)
        #expect(event.take() == 1)
        try bench.client.setInterrupts(.none, .trigger, .line, count: 0)
        try bench.client.setInterrupts(.none, .unmask, .line, count: 1)
        #expect(event.take() == 0)
    }

    /// A reset masks the device's own table; the client's eventfds stay, and vectors come again once memory space is on.
    @Test(arguments: [true, false]) func eventDescriptorsOutliveAReset(byMessage: Bool) throws {
        let bench = try Bench()
        let event = EventBox()
        try bench.client.setInterrupts(.eventDescriptors, .trigger, .msix, start: 2, count: 1, descriptors: [event.raw])
        if byMessage { try bench.client.ask(.resetDevice) } else { bench.device.reset() }
        try bench.switchOn()
        try fire(bench, 2)
        #expect(event.take() == 1)
    }

    /// An eventfd that is full has told the client all it can; nobody waits for it, whatever the client has made of it.
    @Test(arguments: [true, false]) func aFullEventDescriptor(isBlocking: Bool) throws {
        let bench = try Bench()
        let event = EventBox()
        try bench.client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
        if isBlocking { #expect(fcntl(event.raw, F_SETFL, 0) == 0) }
        var most = UInt64.max - 1
        // SAFETY: a local of 8 bytes.
        #expect(unsafe write(event.raw, &most, 8) == 8)
        try fire(bench, 0)
        try fire(bench, 0)
        #expect(event.take() >= most)
        try fire(bench, 0)
        #expect(event.take() == 1)
    }
}

/// Event descriptors in arrays.
final class EventBox {
    private let event = EventDescriptor()
    var raw: Int32 { event.raw }
    func take() -> UInt64 { event.take() }
}
