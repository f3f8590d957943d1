// The model on a thread of its own that sleeps whenever there is nothing to do: doorbells, arrivals and timers must wake it.

import Backing
import Clock
import Ethernet
import Glibc
import I225Model
import I225Wire
import Leases
import Memory
import PCIe
import Registers
import TestFrames
import Testing

@Suite("A sleeping owner")
struct OwnerThreadTests {
    /// Asks again and again until it holds. The limit is there to fail, not to measure: nothing depends on how long.
    private func eventually(_ condition: () -> Bool) -> Bool {
        DeviceClock.monotonic.waitUntil(
            timeoutNanoseconds: 20_000_000_000,
            intervalNanoseconds: 100_000,
            condition
        )
    }

    @Test func timersDoorbellsAndArrivalsWakeIt() throws {
        let pair = WirePair()
        var options = I225Options()
        options.autonegotiationNanoseconds = 3_000_000
        let model = I225Model(options: options, port: pair.first, clock: .monotonic)
        var farEnd = pair.second
        let loop = PollingLoop([model], spinNanoseconds: 0)
        defer { loop.stop() }
        let device = InProcess(model, name: "sleeper", loop: loop, census: Census())
        let bar = try device.mapBAR(0)
        try device.writeConfig(ConfigSpace.Offset.command, .word, 0x6)
        let lent = try device.allocateDMA(byteCount: 16384, .both, purpose: "bench")

        #expect(eventually { bar.read(I225Register.deviceStatus)[.linkUp] }, "the PHY's timer")

        // A transmit ring of 8 at 0, a receive ring of 8 at 4096, buffers behind them.
        bar.write(I225Register.transmitBaseLow[0], UInt32(truncatingIfNeeded: lent.iova))
        bar.write(I225Register.transmitBaseHigh[0], UInt32(lent.iova >> 32))
        bar.write(I225Register.transmitLength[0], 128)
        bar.write(I225Register.transmitQueueControl[0], .with { $0[.enabled] = true })
        bar.write(I225Register.receiveBaseLow[0], UInt32(truncatingIfNeeded: lent.iova + 4096))
        bar.write(I225Register.receiveBaseHigh[0], UInt32((lent.iova + 4096) >> 32))
        bar.write(I225Register.receiveLength[0], 128)
        bar.write(I225Register.splitReceiveControl[0], .with { $0[.bufferKilobytes] = 2 })
        bar.write(I225Register.receiveQueueControl[0], .with { $0[.enabled] = true })
        bar.write(I225Register.transmitControl, .with { $0[.enabled] = true })
        bar.write(
            I225Register.receiveControl,
            .with {
                $0[.enabled] = true
                $0[.unicastPromiscuous] = true
            }
        )
        let transmitTail = try #require(bar.doorbell(at: I225Register.transmitTail[0].offset))
        let receiveTail = try #require(bar.doorbell(at: I225Register.receiveTail[0].offset))

        for round in 0..<20 {
            // SAFETY: offsets inside 16 KB; the device touches descriptors after the doorbell and not after DD.
            let slot = round % 8
            let command: UInt64 = 0x2B30_0040
            unsafe lent.base.storeBytes(of: lent.iova + 8192, toByteOffset: slot * 16, as: UInt64.self)
            unsafe lent.base.storeBytes(of: command, toByteOffset: slot * 16 + 8, as: UInt64.self)
            transmitTail.ring(UInt32((slot + 1) % 8))
            #expect(eventually { farEnd.receive.receive() != nil }, "the doorbell of round \(round)")

            unsafe lent.base.storeBytes(of: lent.iova + 12288, toByteOffset: 4096 + slot * 16, as: UInt64.self)
            unsafe lent.base.storeBytes(of: 0, toByteOffset: 4096 + slot * 16 + 8, as: UInt64.self)
            receiveTail.ring(UInt32((slot + 1) % 8))
            let fits = farEnd.transmit.send(testFrame(64, seed: UInt8(round)).raw, wireTime: DeviceClock.monotonic.now)
            #expect(fits)
            #expect(
                eventually { bar.read(I225Register.receiveHead[0]).raw == UInt32((slot + 1) % 8) },
                "the arrival of round \(round)"
            )
        }
    }
}
