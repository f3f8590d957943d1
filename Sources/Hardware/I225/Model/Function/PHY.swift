// The PHY: clause-22 registers behind MDIC, the few clause-45 registers that a driver uses, and the link.
//
// Link: down --(powered, out of reset, cable)--> negotiating --(delay)--> up; or back to down if no speed is common.
// Power-down, reset, a restart of autonegotiation and a pulled cable drop the link from any state.
// Source: IEEE 802.3 clauses 22, 28, 45; what Linux igc_phy.c and igc_main.c (igc_has_link) of 6.12 and 7.x expect.

import I225Wire

struct PHY {
    private enum Link: Equatable {
        case down
        case negotiating(until: UInt64)
        case up(LinkSpeed)
    }

    private let fastestOfPartner: LinkSpeed
    private let negotiationNanoseconds: UInt64

    private var control: UInt16 = 0
    private var advertisement: UInt16 = 0
    private var gigabitControl: UInt16 = 0
    private var multiGigabitControl: UInt16 = 0
    /// Device 7, registers 0x3C to 0x3F.
    private var energyEfficient: InlineArray<4, UInt16> = [0, 0, 0, 0]
    private var managedControl: UInt16 = 0
    private var managedAddress: UInt16 = 0

    private var link = Link.down
    /// The link was down since the status register was read (802.3 §22.2.4.2.13: the bit latches low).
    private var wasDown = true
    private var isHeldInReset = false
    private var hasCable = true
    /// The link came up or went down; the owner takes it and raises LSC.
    private var linkChanged = false

    init(_ options: I225Options, now: UInt64) {
        fastestOfPartner = options.linkSpeed
        negotiationNanoseconds = options.autonegotiationNanoseconds
        powerUp()
        renegotiate(now)
    }

    /// The speed while the link is up.
    var speed: LinkSpeed? { if case .up(let speed) = link { speed } else { nil } }

    /// When the link's state will change by itself.
    var nextDeadline: UInt64? { if case .negotiating(let until) = link { until } else { nil } }

    mutating func advance(_ now: UInt64) {
        guard case .negotiating(let until) = link, now >= until else { return }
        guard let speed = commonSpeed() else {
            link = .down
            return
        }
        link = .up(speed)
        linkChanged = true
    }

    mutating func takeLinkChange() -> Bool {
        defer { linkChanged = false }
        return linkChanged
    }

    /// CTRL.PHY_RST: as long as it is set the PHY does nothing; then it starts with its defaults.
    mutating func setReset(_ held: Bool, now: UInt64) {
        guard held != isHeldInReset else { return }
        isHeldInReset = held
        if !held { powerUp() }
        renegotiate(now)
    }

    /// The cable is plugged or pulled.
    mutating func setCable(_ plugged: Bool, now: UInt64) {
        guard plugged != hasCable else { return }
        hasCable = plugged
        renegotiate(now)
    }

    mutating func read(_ register: UInt32) -> UInt16 {
        guard !isHeldInReset else { return 0 }
        switch register {
        case PHYRegister.control: return control
        case PHYRegister.status: return readStatus()
        case PHYRegister.identifierHigh: return 0x67C9
        case PHYRegister.identifierLow: return 0xDC00
        case PHYRegister.advertisement: return advertisement
        // All of 10 and 100 Mb/s, symmetric and asymmetric pause, acknowledged.
        case PHYRegister.partnerAbility: return speed == nil ? 0 : 0xCDE1
        case PHYRegister.gigabitControl: return gigabitControl
        case PHYRegister.gigabitStatus:
            // Linux waits up to 2 s for the remote receiver on a 1 Gb/s link.
            let ok = PHYBit.localReceiverOK | PHYBit.remoteReceiverOK | PHYBit.partner1000Full
            return speed == nil ? 0 : ok
        case PHYRegister.managedDeviceControl: return managedControl
        case PHYRegister.managedDeviceData: return readManaged()
        default: return 0
        }
    }

    mutating func write(_ register: UInt32, _ value: UInt16, now: UInt64) {
        guard !isHeldInReset else { return }
        switch register {
        case PHYRegister.control: writeControl(value, now: now)
        case PHYRegister.advertisement: advertisement = value
        case PHYRegister.gigabitControl: gigabitControl = value
        case PHYRegister.managedDeviceControl: managedControl = value
        case PHYRegister.managedDeviceData: writeManaged(value)
        default: break
        }
    }

    private mutating func powerUp() {
        // Autonegotiation, full duplex, 1000 Mb/s if forced.
        control = 0x1140
        advertisement = 0x0DE1
        gigabitControl = PHYBit.advertise1000Full
        multiGigabitControl = PHYBit.advertise2500Full
        energyEfficient = [0, 0, 0, 0]
        managedControl = 0
        managedAddress = 0
    }

    private mutating func writeControl(_ value: UInt16, now: UInt64) {
        if value & PHYBit.reset != 0 {
            powerUp()
            renegotiate(now)
            return
        }
        let restarts = value & PHYBit.restartAutonegotiation != 0
        let changed = (control ^ value) & ~PHYBit.restartAutonegotiation
        control = value & ~PHYBit.restartAutonegotiation
        if restarts || changed != 0 { renegotiate(now) }
    }

    private mutating func renegotiate(_ now: UInt64) {
        if case .up = link {
            linkChanged = true
            wasDown = true
        }
        let mayNegotiate = hasCable && !isHeldInReset && control & PHYBit.powerDown == 0
        link = mayNegotiate ? .negotiating(until: now &+ negotiationNanoseconds) : .down
    }

    private mutating func readStatus() -> UInt16 {
        defer { wasDown = speed == nil }
        let abilities: UInt16 = 0x7949
        guard speed != nil else { return abilities }
        let done = abilities | PHYBit.autonegotiationComplete
        return wasDown ? done : done | PHYBit.linkUp
    }

    private func commonSpeed() -> LinkSpeed? {
        guard control & PHYBit.autonegotiate != 0 else { return forcedSpeed() }
        if fastestOfPartner.rawValue >= 2500, multiGigabitControl & PHYBit.advertise2500Full != 0 {
            return .megabits2500
        }
        if fastestOfPartner.rawValue >= 1000, gigabitControl & PHYBit.advertise1000Full != 0 { return .megabits1000 }
        if fastestOfPartner.rawValue >= 100, advertisement & PHYBit.advertise100Full != 0 { return .megabits100 }
        return advertisement & PHYBit.advertise10Full != 0 ? .megabits10 : nil
    }

    /// Bits 6 and 13 of the control register (802.3 §22.2.4.1.3).
    private func forcedSpeed() -> LinkSpeed? {
        let speed: LinkSpeed? =
            switch (control & 1 << 6 != 0, control & 1 << 13 != 0) {
            case (false, false): .megabits10
            case (false, true): .megabits100
            case (true, false): .megabits1000
            case (true, true): nil
            }
        guard let speed, speed.rawValue <= fastestOfPartner.rawValue else { return nil }
        return speed
    }

    private func readManaged() -> UInt16 {
        guard managedControl & 0xC000 != 0 else { return managedAddress }
        guard managedControl & 0x1F == ManagedDevice.autonegotiation else { return 0 }
        if managedAddress == ManagedDevice.multiGigabitControl { return multiGigabitControl }
        let range = ManagedDevice.energyEfficientRange
        return range.contains(managedAddress) ? energyEfficient[Int(managedAddress - range.lowerBound)] : 0
    }

    private mutating func writeManaged(_ value: UInt16) {
        guard managedControl & 0xC000 != 0 else {
            managedAddress = value
            return
        }
        guard managedControl & 0x1F == ManagedDevice.autonegotiation else { return }
        if managedAddress == ManagedDevice.multiGigabitControl { multiGigabitControl = value }
        let range = ManagedDevice.energyEfficientRange
        if range.contains(managedAddress) { energyEfficient[Int(managedAddress - range.lowerBound)] = value }
    }
}
