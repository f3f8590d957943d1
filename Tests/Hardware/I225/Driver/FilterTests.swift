// Which frames a card receives: its own and broadcasts, or all.

import I225Driver
import TestQueues
import Testing

@Suite("Filters", .overEveryBacking)
struct FilterTests {
    @Test("A card receives its own frames and broadcasts; a promiscuous one all", arguments: [false, true])
    func addresses(isPromiscuous: Bool) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = isPromiscuous
        let device = try rig.open(configuration)
        var stack = try rig.stack(device)
        let own = (0..<6).map { UInt8(truncatingIfNeeded: device.address >> UInt64(8 * $0)) }
        var neighbour = own
        neighbour[5] ^= 1
        let destinations: [[UInt8]] = [
            own, [UInt8](repeating: 0xFF, count: 6), neighbour, [0x01, 0, 0x5E, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1],
            [UInt8](repeating: 0, count: 6),
        ]
        for destination in destinations { #expect(rig.send(destination + testFrame(1).dropFirst(6))) }
        rig.settle()
        let received = stack.receive().map { [UInt8]($0.bytes.prefix(6)) }
        #expect(received == (isPromiscuous ? destinations : [own, destinations[1]]))
    }

    @Test("The longest frame is the configured one", arguments: [64, 1514, 1522, 4000, 9728])
    func longest(_ length: Int) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.maximumFrameBytes = length
        let device = try rig.open(configuration)
        var stack = try rig.stack(device)
        if length < 9728 { #expect(rig.send(testFrame(1, length: length + 1))) }
        #expect(rig.send(testFrame(2, length: length)))
        rig.settle()
        #expect(stack.receive().flatMap { $0.bytes } == testFrame(2, length: length))
    }
}
