// DEVICE_SET_IRQS as it should not be: flags that say two things or nothing, vectors that the device has not, descriptors
// that are no eventfds, and eventfds that a client has prepared.

import Backing
import CLinux
import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileSetInterruptsTests {
    private static let msix = InterruptKind.msix.rawValue
    private static let fire: UInt32 = 0x21
    private static let assign: UInt32 = 0x24

    private static func request(
        _ flags: UInt32,
        _ index: UInt32 = msix,
        start: UInt32 = 0,
        count: UInt32 = 1,
        argumentSize: UInt32 = 20
    ) -> (inout MessageBuffer) -> Void {
        { for word in [argumentSize, flags, index, start, count] { $0.append(word) } }
    }

    /// Data and action must be one bit each.
    static let flags: [Attack] = (UInt32(0)..<0x80).filter { flags in
        !(["1", "10", "100"].contains(String(flags & 7, radix: 2)) && [8, 16, 32].contains(flags & 0x78))
    }.map { flags in Attack("flags 0x\(String(flags, radix: 16))", .setInterrupts, write: request(flags)) }

    static let ranges: [Attack] = [
        Attack("kind 5", .setInterrupts, write: request(fire, 5)),
        Attack("kind 2^32-1", .setInterrupts, write: request(fire, .max)),
        Attack("a vector behind the last", .setInterrupts, EINVAL, [.event], write: request(assign, start: 20)),
        Attack(
            "from inside to outside",
            .setInterrupts,
            EINVAL,
            [.event, .event],
            write: request(assign, start: 19, count: 2)
        ),
        Attack("start and count that wrap", .setInterrupts, write: request(fire, start: 2, count: .max)),
        Attack("start 2^32-1", .setInterrupts, write: request(fire, start: .max)),
        Attack("as many as there are numbers", .setInterrupts, write: request(fire, count: .max)),
        Attack("disable from 1", .setInterrupts, write: request(fire, start: 1, count: 0)),
        Attack("disable with a descriptor", .setInterrupts, EINVAL, [.event], write: request(fire, count: 0)),
        Attack("assign none", .setInterrupts, write: request(assign, count: 0)),
        Attack("bools of none", .setInterrupts, write: request(0x22, count: 0)),
        Attack("two lines", .setInterrupts, EINVAL, [.event, .event], write: request(assign, 0, count: 2)),
        Attack("line 1", .setInterrupts, EINVAL, [.event], write: request(assign, 0, start: 1)),
        Attack("two errors", .setInterrupts, EINVAL, [.event, .event], write: request(assign, 3, count: 2)),
        Attack("request 1", .setInterrupts, EINVAL, [.event], write: request(assign, 4, start: 1)),
        Attack("MSI, which it has not", .setInterrupts, EINVAL, [.event], write: request(assign, 1)),
        Attack("mask a vector", .setInterrupts, write: request(0x09)),
        Attack("unmask a vector", .setInterrupts, write: request(0x11)),
        Attack("mask errors", .setInterrupts, write: request(0x09, 3)),
        Attack("unmask the line by eventfd", .setInterrupts, EINVAL, [.event], write: request(0x14, 0)),
        Attack("argsz 19", .setInterrupts, write: request(fire, argumentSize: 19)),
        Attack("argsz 0", .setInterrupts, write: request(fire, argumentSize: 0)),
        Attack("a bool too few", .setInterrupts) {
            request(0x22, count: 2)(&$0)
            $0.append(UInt8(1))
        },
        Attack("a bool too many", .setInterrupts) {
            request(0x22, count: 1)(&$0)
            $0.append(UInt16(1))
        },
        Attack("2^32-1 bools", .setInterrupts) {
            request(0x22, count: .max)(&$0)
            $0.append(UInt8(1))
        },
        Attack("eventfds as data", .setInterrupts, EINVAL, [.event]) {
            request(assign)(&$0)
            $0.append(UInt32(5))
        },
    ]
    static let descriptors: [Attack] =
        HostileDescriptor.Kind.allCases.filter { $0 != .event }.map { kind in
            Attack("descriptor: \(kind)", .setInterrupts, EINVAL, [kind], write: request(assign))
        }
        + [
            Attack("one too few", .setInterrupts, EINVAL, [.event], write: request(assign, count: 2)),
            Attack("one too many", .setInterrupts, EINVAL, [.event, .event], write: request(assign)),
            Attack(
                "the last of three is none",
                .setInterrupts,
                EINVAL,
                [.event, .event, .socket],
                write: request(assign, count: 3)
            ),
            Attack("for a command that takes none", .setInterrupts, EINVAL, [.event], write: request(fire)),
        ]

    @Test(
        arguments: Attack.wrongLengths(.setInterrupts, right: 20, write: request(fire)) + flags + ranges + descriptors
    )
    func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        for vector in 0..<SampleDevice.vectors { #expect(!siege.device.host.isRouted(vector), "half of it was done") }
        try siege.settle()
    }

    /// A refused command leaves those as they were that are assigned.
    @Test func aRefusalChangesNothing() throws {
        let siege = try Siege()
        let event = siege.descriptor(.event)
        try siege.client.setInterrupts(.eventDescriptors, .trigger, .msix, start: 1, count: 1, descriptors: [event.raw])
        for attack in Self.ranges + Self.descriptors { try siege.strike(attack) }
        try siege.client.write32(region: 0, SampleDevice.Offset.fire, 1)
        #expect(clinux_drain_eventfd(event.raw) == 1)
        try siege.settle()
    }

    /// Full, and made a blocking one again by whoever shares it: the device goes on.
    @Test(arguments: InterruptKind.allCases.filter { $0 != .msi }) func aFullOneThatBlocks(kind: InterruptKind) throws {
        let siege = try Siege()
        let event = siege.descriptor(.event)
        try siege.client.setInterrupts(.eventDescriptors, .trigger, kind, count: 1, descriptors: [event.raw])
        var most = UInt64.max - 1
        // SAFETY: a local of 8 bytes.
        #expect(unsafe write(event.raw, &most, 8) == 8)
        #expect(fcntl(event.raw, F_SETFL, 0) == 0)
        for _ in 0..<100 {
            try siege.client.setInterrupts(.none, .trigger, kind, count: 1)
            try siege.client.write32(region: 0, SampleDevice.Offset.fire, 0)
            try siege.client.write32(region: 0, SampleDevice.Offset.line, 1)
        }
        #expect(clinux_drain_eventfd(event.raw) == .max)
        try siege.client.setInterrupts(.none, .trigger, kind, count: 1)
        #expect(clinux_drain_eventfd(event.raw) == 1)
        try siege.settle()
    }

    /// One that the client has closed: signals go nowhere, and nothing else gets them.
    @Test func oneThatNobodyListensTo() throws {
        let siege = try Siege()
        do {
            let event = HostileDescriptor(.event)
            try siege.client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
        }
        for _ in 0..<10 { try siege.client.write32(region: 0, SampleDevice.Offset.fire, 0) }
        try siege.settle()
    }

    /// The same vectors again and again: what they had before is closed.
    @Test func reassignedForEver() throws {
        let siege = try Siege()
        for _ in 0..<100 {
            let events = (0..<4).map { _ in HostileDescriptor(.event) }
            try siege.client.setInterrupts(
                .eventDescriptors,
                .trigger,
                .msix,
                start: 2,
                count: 4,
                descriptors: events.map { $0.raw }
            )
            #expect(events.allSatisfy { $0.identity.openCount() == 2 })
            try siege.client.setInterrupts(
                .eventDescriptors,
                .trigger,
                .msix,
                start: 2,
                count: 4,
                descriptors: [CInt](repeating: siege.descriptor(.event).raw, count: 4)
            )
            #expect(events.allSatisfy { $0.identity.openCount() == 1 })
        }
        try siege.settle()
    }
}
