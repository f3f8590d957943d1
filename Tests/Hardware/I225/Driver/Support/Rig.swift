// A driver on a real model, on one thread and virtual time, with the far end of the wire in the test's hands.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import I225Wire
import Leases
import Memory
import Rings
import TestCards
import XSK

/// A virtual I225, its wire, its clock, and the count of what is on loan.
final class Rig {
    let clock = VirtualClock(startNanoseconds: 1_000_000_000)
    let census = Census()
    let model: I225Model
    let backing: CardBacking
    var farEnd: WirePort

    init(_ options: I225Options = I225Options()) {
        let pair = WirePair()
        model = I225Model(options: options, port: pair.first, clock: .virtual(clock))
        do {
            backing = try CardBacking(model, name: "test:i225", census: census)
        } catch {
            preconditionFailure("no way to the card: \(error)")
        }
        farEnd = pair.second
    }

    /// A card with the default options, changed.
    convenience init(_ change: (inout I225Options) -> Void) {
        var options = I225Options()
        change(&options)
        self.init(options)
    }

    func open(_ configuration: I225Configuration = I225Configuration()) throws -> I225Device<CardBacking> {
        try I225Device(backing, configuration, clock: .virtual(clock), census: census)
    }

    func open<Backing: PCIeBacking>(
        on backing: Backing,
        _ configuration: I225Configuration = I225Configuration()
    ) throws -> I225Device<Backing> {
        try I225Device(backing, configuration, clock: .virtual(clock), census: census)
    }

    /// Lets the model do everything that is due now.
    func settle() {
        repeat { while model.poll() {} } while backing.carryMemory()
    }

    /// Lets the model act, moves time, and lets it act again.
    func advance(nanoseconds: UInt64) {
        settle()
        clock.advance(nanoseconds: nanoseconds)
        settle()
    }

    /// All frames that have arrived at the far end.
    func arrivals() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = farEnd.receive.receive() { frames.append(frame) }
        return frames
    }

    /// Frames at the far end with the card's time at which they were on the wire.
    func timedArrivals() -> [(frame: [UInt8], deviceTime: UInt64)] {
        var frames: [([UInt8], UInt64)] = []
        while let view = unsafe farEnd.receive.peek() {
            let wireTime = unsafe view.wireTime
            guard let frame = farEnd.receive.receive() else { break }
            frames.append((frame, model.deviceTime(atHostTime: wireTime)))
        }
        return frames
    }

    /// Sends a frame from the far end.
    func send(_ frame: [UInt8]) -> Bool {
        // SAFETY: bytes have no padding, here and below.
        unsafe farEnd.transmit.send(frame.span.bytes, wireTime: clock.now)
    }
}

/// A frame of `length` bytes whose payload says `number`.
func testFrame(_ number: UInt8, length: Int = 60) -> [UInt8] {
    var frame: [UInt8] = [0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x88, 0xB5]
    frame += (frame.count..<length).map { UInt8(truncatingIfNeeded: $0) ^ number }
    return frame
}
