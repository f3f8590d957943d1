// An 82576 as far as our driver knows it. What is the 82576's own is here, with its source: Linux igb (e1000_82575.c,
// igb_ptp.c of 6.12) and the 82576 data sheet.

import Backing
import Clock
import I225Driver
import I225Wire
import Interrupts
import Leases
import LinuxVFIO
import PCIe
import Registers

/// What the trial could not go on from.
struct TrialError: Error, CustomStringConvertible {
    let description: String
}

/// The card, brought up as far as the driver's queues need it. Its end quiesces it, as the driver quiesces an I225.
struct Relative: ~Copyable {
    let hardware: I225Hardware<LinuxVFIO>
    let stamps: TransmitStamps<LinuxVFIOBAR>
    let cardClock: I225Clock<LinuxVFIO>
    private let numbers: (transmit: IndexPool, receive: IndexPool)

    private static let identity: (vendor: UInt16, device: UInt16) = (0x8086, 0x10C9)

    /// The 82576 counts units that TIMINCA chooses (INCVALUE / 16 · INCPERIOD ns: bits 23:0 and 31:24), the I225 seconds
    /// and nanoseconds. At 64 ns a unit its low word stays below 10^9, as an I225's does, for the first minute after a
    /// reset: long enough to try the code that reads it.
    static let nanosecondsPerUnit: UInt64 = 64
    private static let sixtyFourNanoseconds = TimeIncrement(raw: 4 << 24 | 1)

    init(_ backing: LinuxVFIO, _ clock: DeviceClock, _ census: Census) throws {
        guard backing.identity.vendor == Self.identity.vendor, backing.identity.device == Self.identity.device else {
            throw TrialError(description: "\(backing.name) is no 82576 (8086:10c9)")
        }
        say("open: \(backing.name), \(backing.vectorCount) vectors")
        try backing.reset()
        try enableFunction(backing)
        let hardware = try I225Hardware(backing: backing, clock: clock)
        // Not the driver's `reset`: it waits for EECD.AUTO_RD, which QEMU's igb never sets and Linux's igb forgives.
        hardware.quiesce()
        clock.wait(nanoseconds: 2_000_000)
        hardware.bar.modify(I225Register.deviceControl) { control in
            control[.masterDisable] = false
            control[.setLinkUp] = true
        }
        // The PHY answers at address 1, an I225's at 0, which is what the driver's MDIO code has (igb_write_phy_reg_mdic).
        let autonegotiate = UInt32(PHYBit.autonegotiate | PHYBit.restartAutonegotiation)
        hardware.bar.write(
            I225Register.phyAccess,
            .with { request in
                request.raw = 1 << 21 | autonegotiate
                request[.register] = PHYRegister.control
                request[.isWrite] = true
            }
        )
        let isUp = clock.waitUntil(timeoutNanoseconds: 10_000_000_000, intervalNanoseconds: 10_000_000) {
            hardware.bar.read(I225Register.deviceStatus)[.linkUp]
        }
        guard isUp else { throw TrialError(description: "no link after 10 s") }
        say("link: up")

        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        hardware.startTransmitting()
        hardware.startReceiving(configuration)
        let stamps = TransmitStamps(hardware, configuration)
        let cardClock = I225Clock(hardware, stamps)
        cardClock.start()
        hardware.bar.write(I225Register.timeIncrement, Self.sixtyFourNanoseconds)
        Self.startAtZero(hardware.bar)
        hardware.setStampMode(configuration, stamps)
        self.hardware = hardware
        self.stamps = stamps
        self.cardClock = cardClock
        numbers = (
            IndexPool(kind: "Tx queue", capacity: 1, census: census),
            IndexPool(kind: "Rx queue", capacity: 1, census: census)
        )
    }

    /// A write to SYSTIM does not set QEMU's clock, so the trial cannot use the driver's way (`I225Clock.setTime`): TIMADJ
    /// moves the clock by what it holds (igb_core.c: igb_set_timadjh).
    private static func startAtZero(_ bar: LinuxVFIOBAR) {
        let adjustmentHigh: UInt32 = 0xB610
        let low = bar.read(I225Register.systemTimeLow).raw
        let high = bar.read(I225Register.systemTimeHigh).raw
        let back = 0 &- (UInt64(high) << 32 | UInt64(low))
        bar.write(I225Register.timeAdjustment, UInt32(truncatingIfNeeded: back))
        bar.store(adjustmentHigh, UInt32(truncatingIfNeeded: back >> 32))
    }

    deinit { hardware.quiesce() }

    // The causes that are not a queue's: at 0x1500 on an I225 (and on an i210), at 0xC0 here (igb: e1000_regs.h). Their
    // way to vector 0 (IVAR_MISC, EITR, EIMS) is the same, and the driver's.
    private static let interruptCause = Register<InterruptCause>(0xC0, "ICR")
    private static let interruptMaskSet = Register<InterruptCause>(0xD0, "IMS")

    func armLinkChange() {
        _ = hardware.bar.read(Self.interruptCause)
        hardware.bar.write(Self.interruptMaskSet, .with { $0[.linkChanged] = true })
    }

    /// Whether the link changed since the last look.
    func takeLinkChange() -> Bool { hardware.bar.read(Self.interruptCause)[.linkChanged] }

    private func take(_ pool: IndexPool) throws -> IndexLease {
        guard let number = pool.take() else { throw TrialError(description: "the \(pool.kind) is out") }
        return number
    }

    /// Queue 0: IVAR has the entries of the others elsewhere (igb_assign_vector, e1000_82576).
    func openTransmitQueue() throws -> TransmitQueue<LinuxVFIO> {
        try TransmitQueue(hardware, number: take(numbers.transmit), entries: 256, statistics: QueueStatistics())
    }

    func openReceiveQueue(bufferBytes: Int) throws -> ReceiveQueue<LinuxVFIO> {
        try ReceiveQueue(
            hardware,
            number: take(numbers.receive),
            entries: 256,
            bufferBytes: bufferBytes,
            stamps: false,
            statistics: QueueStatistics()
        )
    }
}
