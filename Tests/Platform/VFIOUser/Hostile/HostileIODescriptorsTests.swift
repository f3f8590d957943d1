// DEVICE_GET_REGION_IO_FDS as it should not be, and what a client can do with the doorbells that it gets.

import Backing
import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileIODescriptorsTests {
    private static func request(
        _ index: UInt32,
        room: UInt32 = 1024,
        flags: UInt32 = 0,
        count: UInt32 = 0
    ) -> (inout MessageBuffer) -> Void {
        {
            IODescriptorsRequest(argumentSize: room, flags: flags, index: index, count: count).write(to: &$0)
        }
    }

    static let attacks =
        Attack.wrongLengths(.getRegionIODescriptors, right: 16, upTo: 15, write: request(0))
        + [0, 1, 15].map { size in Attack("argsz \(size)", .getRegionIODescriptors, write: request(0, room: size)) }
        + [9, 255, .max].map { index in Attack("region \(index)", .getRegionIODescriptors, write: request(index)) }
        + [1, 0x8000_0000, .max].map { flags in
            Attack("flags \(flags)", .getRegionIODescriptors, write: request(0, flags: flags))
        }
        + [1, .max].map { count in
            Attack("count \(count)", .getRegionIODescriptors, write: request(0, count: count))
        }

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        try siege.settle()
    }

    @Test func everyRegionAndEveryRoom() throws {
        let siege = try Siege()
        for region in UInt32(0)..<9 {
            for room: UInt32 in [16, 17, 63, 64, 65, .max] {
                let reply = try siege.client.ask(.getRegionIODescriptors, Self.request(region, room: room))
                #expect(reply.count <= Int(room))
                #expect(reply.count == (region == 0 && room >= 64 ? 64 : 16))
            }
        }
        try siege.settle()
    }

    /// A client that takes one descriptor per message cannot be given two.
    @Test func forAClientThatTakesOneDescriptor() throws {
        let siege = try Siege(negotiates: false)
        try siege.client.negotiate { $0.mostDescriptors = 1 }
        try siege.strike(Attack("", .getRegionIODescriptors, ENOSPC, write: Self.request(0)))
        try siege.settle()
    }

    /// Who has gone rings nothing any more: the next client's doorbells are others.
    @Test(arguments: [true, false]) func theDoorbellsOfAClientThatHasGone(keepsState: Bool) throws {
        var options = VFIOUserServerOptions()
        options.keepsState = keepsState
        let siege = try Siege(options: options)
        _ = try siege.client.ask(.getRegionIODescriptors, Self.request(0))
        let wake = try #require(siege.client.takeDescriptor(0))
        let memory = try #require(siege.client.takeDescriptor(1))
        try siege.client.write32(region: 0, SampleDevice.Offset.doorbell, 5)
        try siege.leaveAndReturn()
        var noise = [UInt32](repeating: 77, count: 32)
        // SAFETY: an array and a local, for the calls.
        #expect(unsafe pwrite(memory.raw, &noise, 128, 0) == 128)
        #expect(try siege.client.read32(region: 0, SampleDevice.Offset.doorbell) == (keepsState ? 5 : 0))
        var one: UInt64 = 1
        #expect(unsafe write(wake.raw, &one, 8) == 8)
        #expect(!siege.server.wakeDescriptors.contains { FileIdentity($0) == FileIdentity(wake.raw) })
        if !keepsState { try siege.settle() }
    }

    /// The wake descriptor, full and made a blocking one, or drained by the client: the server never waits for it.
    @Test func theWakeDescriptorInHostileHands() throws {
        let siege = try Siege()
        _ = try siege.client.ask(.getRegionIODescriptors, Self.request(0))
        let wake = try #require(siege.client.takeDescriptor(0))
        let memory = try #require(siege.client.takeDescriptor(1))
        #expect(ftruncate(memory.raw, 0) == -1 && errno == EPERM)
        #expect(fcntl(wake.raw, F_SETFL, 0) == 0)
        for count in [0, UInt64.max - 1] {
            var count = count
            // SAFETY: a local of 8 bytes.
            if count > 0 { #expect(unsafe write(wake.raw, &count, 8) == 8) }
            siege.server.setSleeping(true)
            siege.device.host.doorbells.wake()
            siege.server.setSleeping(false)
            siege.poll()
        }
        // Every byte of the doorbells, the word that says who sleeps among them, is the client's to scribble on.
        let noise = [UInt8](repeating: 0xFF, count: 128)
        #expect(unsafe noise.withUnsafeBytes { unsafe pwrite(memory.raw, $0.baseAddress, 128, 0) } == 128)
        siege.server.setSleeping(true)
        siege.poll()
        siege.server.setSleeping(false)
        #expect(try siege.client.read32(region: 0, SampleDevice.Offset.doorbell) == .max)
        try siege.settle()
    }
}
