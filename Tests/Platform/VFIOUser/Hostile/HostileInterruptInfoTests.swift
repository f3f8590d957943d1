// DEVICE_GET_IRQ_INFO as it should not be.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileInterruptInfoTests {
    private static func request(_ index: UInt32, _ argumentSize: UInt32 = 16) -> (inout MessageBuffer) -> Void {
        {
            $0.append(argumentSize)
            $0.append(UInt32(0))
            $0.append(index)
            $0.append(UInt32(0))
        }
    }

    static let attacks =
        Attack.wrongLengths(.getInterruptInfo, right: 16, upTo: 15, write: request(0))
        + [0, 1, 15].map { size in Attack("argsz \(size)", .getInterruptInfo, write: request(0, size)) }
        + [5, 6, 0x7FFF_FFFF, 0x8000_0000, .max].map { index in
            Attack("kind \(index)", .getInterruptInfo, write: request(index))
        }

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        try siege.settle()
    }

    @Test func isAccepted() throws {
        let siege = try Siege()
        for index in UInt32(0)..<5 {
            try siege.strike(Attack("", .getInterruptInfo, 0, [.event], write: Self.request(index, .max)))
        }
        try siege.settle()
    }
}
