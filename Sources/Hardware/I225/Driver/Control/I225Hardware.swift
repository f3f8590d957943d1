// The way to one card: its registers, bounded waits, and errors that name it. Queues keep it alive.

import Backing
import Clock
import I225Wire
import Registers
import Synchronization

/// What control code and queues of a card share.
public final class I225Hardware<Backing: PCIeBacking>: @unchecked Sendable {
    // SAFETY (Sendable): all is immutable; registers may be accessed from any thread, each by its one owner.
    package let backing: Backing
    package let bar: Backing.BAR
    let clock: DeviceClock
    /// Megabits per second; 0 before the first link.
    private let linkSpeed = Atomic<Int>(0)

    /// Maps the registers. Memory space and bus mastering must be on (`enableFunction`).
    package init(backing: Backing, clock: DeviceClock) throws(DeviceError) {
        self.backing = backing
        self.bar = try backing.mapBAR(0)
        self.clock = clock
    }

    /// The speed of the link, or of the last one. Queues correct received stamps by it.
    var lastLinkSpeed: LinkSpeed? { LinkSpeed(rawValue: linkSpeed.load(ordering: .relaxed)) }

    func setLinkSpeed(_ speed: LinkSpeed) { linkSpeed.store(speed.rawValue, ordering: .relaxed) }

    func error(_ code: DeviceError.Code, _ operation: String, _ detail: String) -> DeviceError {
        DeviceError(code, device: backing.name, operation: operation, detail)
    }

    /// All ones may be a value; all ones in CTRL too means that the card is gone (igc_rd32).
    var isGone: Bool {
        bar.load(I225Register.deviceStatus.offset) == ~0 && bar.load(I225Register.deviceControl.offset) == ~0
    }

    func checkPresent(_ operation: String) throws(DeviceError) {
        guard !isGone else {
            throw error(.deviceGone, operation, "CTRL and STATUS read 0xffffffff, expected a card")
        }
    }

    /// A bounded wait for `condition` on a register.
    func wait<Layout>(
        for register: Register<Layout>,
        _ operation: String,
        _ expected: String,
        timeoutNanoseconds: UInt64,
        intervalNanoseconds: UInt64,
        _ condition: (Layout) -> Bool
    ) throws(DeviceError) {
        var last = Layout(raw: 0)
        let held = clock.waitUntil(timeoutNanoseconds: timeoutNanoseconds, intervalNanoseconds: intervalNanoseconds) {
            last = bar.read(register)
            return last.raw != ~0 && condition(last)
        }
        guard !held else { return }
        try checkPresent(operation)
        throw error(
            .timedOut,
            operation,
            "\(register.mnemonic) reads 0x\(String(last.raw, radix: 16)) after \(timeoutNanoseconds / 1000) µs, "
                + "expected \(expected)"
        )
    }

    /// Pushes posted writes out to the card (igc: wrfl, a read of STATUS).
    func flush() { _ = bar.load(I225Register.deviceStatus.offset) }
}

let microsecond: UInt64 = 1_000
let millisecond: UInt64 = 1_000_000
