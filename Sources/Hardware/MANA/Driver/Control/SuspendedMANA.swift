// A card that is known and not open: what it takes to open it again.
// Source: mana_gd_suspend, mana_gd_resume, mana_serv_func (gdma_main.c of Linux 7.x).

import Backing
import Clock
import Interrupts
import Leases
import MANAWire

/// A card between `suspend` and `resume`. It holds nothing of the card.
public struct SuspendedMANA<Backing: PCIeBacking> {
    let backing: Backing
    public private(set) var configuration: MANAConfiguration
    let topology: Topology
    let node: Int?
    let clock: DeviceClock
    let census: Census
    let statistics = StatisticsBook()

    /// The same card, to be opened with other settings.
    public func with(_ configuration: MANAConfiguration) -> SuspendedMANA {
        var changed = self
        changed.configuration = configuration
        return changed
    }

    /// Leaves the card alone for as long as one needs that asked for a reset.
    public func pause() { clock.wait(nanoseconds: configuration.resetPauseNanoseconds) }

    /// Brings the card up again. Counters go on where they were.
    ///
    /// - Throws: as the opening. It can be tried again: Linux does after the pause, as long as the card does not answer.
    public func resume() throws(DeviceError) -> MANADevice<Backing> { try MANADevice(self) }
}
