// A virtual I225 on a bench: driven by registers as a driver would, with a clock that stands until a test moves it.

import Backing
import Clock
import Ethernet
import I225Model
import I225Wire
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import TestFrames

/// The device, its far end of the wire, and the means of the simplest possible driver.
final class Rig {
    let clock = VirtualClock(startNanoseconds: 1_000_000)
    let model: I225Model
    let device: InProcess<I225Model>
    let bar: InProcessBAR<I225Model>
    /// The other end of the device's wire.
    var farEnd: WirePort

    init(wireCapacity: Int = 256 * 1024, _ change: (inout I225Options) -> Void = { _ in }) throws {
        var options = I225Options()
        change(&options)
        let pair = WirePair(capacity: wireCapacity)
        model = I225Model(options: options, port: pair.first, clock: .virtual(clock))
        farEnd = pair.second
        device = InProcess(model, name: "bench", census: Census())
        bar = try device.mapBAR(0)
        let command = try device.readConfig(ConfigSpace.Offset.command, .word)
        try device.writeConfig(ConfigSpace.Offset.command, .word, command | 0x4)
    }

    // MARK: Registers

    func read<Layout>(_ register: Register<Layout>) -> Layout { bar.read(register) }
    func read(_ register: Register<PlainWord>) -> UInt32 { bar.read(register).raw }
    func write<Layout>(_ register: Register<Layout>, _ value: Layout) { bar.write(register, value) }
    func write(_ register: Register<PlainWord>, _ value: UInt32) { bar.write(register, value) }

    func modify<Layout>(_ register: Register<Layout>, _ change: (inout Layout) -> Void) {
        bar.modify(register, change)
    }

    func advance(nanoseconds: UInt64) {
        clock.advance(nanoseconds: nanoseconds)
        poll()
    }

    /// Polls until there is nothing to do, or `limit` times.
    func poll(limit: Int = 1000) {
        for _ in 0..<limit where !model.poll() { return }
    }

    // MARK: Bring-up

    /// Waits out autonegotiation.
    func linkUp() { advance(nanoseconds: 10_000_000) }

    /// What a driver writes before it uses queues: receive and transmit on, every frame accepted, short ones padded.
    func enableTraffic() {
        write(
            I225Register.receiveControl,
            .with {
                $0[.enabled] = true
                $0[.unicastPromiscuous] = true
                $0[.multicastPromiscuous] = true
                $0[.acceptBroadcast] = true
                $0[.longPackets] = true
                $0[.stripCRC] = true
            }
        )
        write(
            I225Register.transmitControl,
            .with {
                $0[.enabled] = true
                $0[.padShortPackets] = true
            }
        )
        linkUp()
    }

    /// MSI-X vectors by queue: vector 0 other causes, vector 1 + q both sides of queue q, as Linux has it with 4 CPUs.
    func enableInterrupts() {
        write(
            I225Register.generalInterruptEnable,
            .with {
                $0[.nonSelectiveClear] = true
                $0[.multipleVectors] = true
                $0[.extendedAutoMask] = true
                $0[.pendingBits] = true
            }
        )
        write(
            I225Register.otherVector,
            .with {
                $0[.vector] = 0
                $0[.valid] = true
            }
        )
        write(I225Register.queueVectors[0], QueueVectors(raw: 0x8282_8181))
        write(I225Register.queueVectors[1], QueueVectors(raw: 0x8484_8383))
        write(I225Register.vectorAutoClear, 0x1F)
        write(I225Register.vectorAutoMask, 0x1F)
        write(I225Register.vectorMaskSet, 0x1F)
        _ = read(I225Register.interruptCause)
    }

    func attach(_ vector: Int) throws -> InterruptLease { try device.attachVector(vector, cpu: nil) }

    // MARK: The wire

    /// What the device has sent, frame by frame.
    func sent() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = farEnd.receive.receive() { frames.append(frame) }
        return frames
    }

    /// Takes the next frame that the device has sent; when it was on the wire.
    func takeWireTime() -> UInt64? {
        // SAFETY: nothing of the frame is kept.
        guard let frame = unsafe farEnd.receive.peek() else { return nil }
        unsafe farEnd.receive.consume(frame)
        return unsafe frame.wireTime
    }

    /// Puts a frame on the wire towards the device.
    func arrive(_ frame: [UInt8], at wireTime: UInt64? = nil) {
        let fits = farEnd.transmit.send(frame.raw, wireTime: wireTime ?? clock.now)
        precondition(fits, "the test fills the wire")
    }

    func arriveAndPoll(_ frame: [UInt8]) {
        arrive(frame)
        poll()
    }
}

/// A frame of `length` bytes to `destination`, with a payload that tells its bytes apart.
func testFrame(
    _ length: Int,
    to destination: [UInt8] = [0x02, 0x1B, 0x21, 0x02, 0x25, 0x00],
    seed: UInt8 = 0
) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: length)
    for index in 0..<length { frame[index] = UInt8(truncatingIfNeeded: index &* 7) &+ seed }
    let header = destination + [0x02, 0, 0, 0, 0, 0x99, 0x88, 0xB5]
    for index in 0..<min(length, header.count) { frame[index] = header[index] }
    return frame
}
