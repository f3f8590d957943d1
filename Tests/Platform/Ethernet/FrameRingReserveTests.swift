// Room that was reserved and then not used, as a reader of a TAP device does when the device has no frame.

import Ethernet
import Testing

@Suite struct FrameRingReserveTests {
    @Test func unusedRoomBeyondTheEndIsNoFrame() {
        let station = Station(.loopback(capacity: 64 * 1024))
        // Up to a point from where the longest frame does not fit before the end.
        for number: UInt8 in 0..<7 {
            #expect(station.send([UInt8](repeating: number, count: 9000)))
            #expect(station.receive()?.bytes.first == number)
        }
        #expect(station.reserveInVain())
        #expect(station.receive() == nil, "what lies at the start of the ring is an old frame")

        #expect(station.send([UInt8](repeating: 0xAA, count: 60)))
        #expect(station.receive()?.bytes == [UInt8](repeating: 0xAA, count: 60))
        #expect(station.receive() == nil)
    }
}
