// DEVICE_GET_INFO as it should not be.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileDeviceInfoTests {
    private static func request(_ argumentSize: UInt32) -> (inout MessageBuffer) -> Void {
        {
            $0.append(argumentSize)
            $0.append(byteCount: 12) { _ in }
        }
    }

    static let attacks =
        Attack.wrongLengths(.getDeviceInfo, right: 16, upTo: 15, write: request(16))
        + [0, 1, 15].map { size in Attack("argsz \(size)", .getDeviceInfo, write: request(size)) }

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        try siege.settle()
    }

    /// Fields that a request does not have yet, room that we do not need, descriptors for nothing.
    @Test func isAccepted() throws {
        let siege = try Siege()
        try siege.strike(Attack("argsz huge", .getDeviceInfo, 0, write: Self.request(.max)))
        try siege.strike(Attack("descriptors", .getDeviceInfo, 0, [.memory, .event], write: Self.request(16)))
        try siege.strike(
            Attack("all ones", .getDeviceInfo, 0) { for _ in 0..<4 { $0.append(UInt32.max) } }
        )
        let reply = try siege.client.ask(.getDeviceInfo, Self.request(.max))
        #expect(reply.count == 16)
        try siege.settle()
    }
}
