// What the driver makes of the link that the PHY negotiated.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Netdev
import Registers
import TestCards
import Testing

@Suite("Link", .overEveryBacking)
struct LinkTests {
    @Test("The speed is the partner's best", arguments: LinkSpeed.allCases)
    func speed(_ speed: LinkSpeed) throws {
        let rig = Rig { $0.linkSpeed = speed }
        let device = try rig.open()
        #expect(device.link.speed == speed.rawValue)
        #expect(device.link.isFullDuplex)
    }

    @Test("Pause frames are honoured and sent if both sides want them", arguments: [true, false])
    func pause(isWanted: Bool) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.wantsFlowControl = isWanted
        let device = try rig.open(configuration)
        #expect(device.link.receivesPause == isWanted)
        #expect(device.link.sendsPause == isWanted)
        let control = try rig.backing.mapBAR(0).read(I225Register.deviceControl)
        #expect(control[.receiveFlowControl] == isWanted)
        #expect(control[.transmitFlowControl] == isWanted)
    }

    @Test("With a time-out of 0 the card opens without a link, and gets it later")
    func opensWithoutLink() throws {
        let rig = Rig { $0.autonegotiationNanoseconds = 3_000_000_000 }
        var configuration = I225Configuration()
        configuration.linkTimeoutNanoseconds = 0
        var device = try rig.open(configuration)
        #expect(device.link == .down)
        _ = try device.service()
        rig.clock.advance(nanoseconds: 3_000_000_000)
        #expect(try device.service().linkChanged == true)
        #expect(device.link.speed == 2500)
    }
}
