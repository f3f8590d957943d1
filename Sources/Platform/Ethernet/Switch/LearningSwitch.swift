// An Ethernet switch between wires: several virtual devices, TAP devices and tests on one network.

import Clock

/// How a switch is built.
public struct SwitchOptions: Sendable, Equatable {
    /// How long a silent station is remembered; 300 s is the default of IEEE 802.1Q, table 8-6.
    public var ageingNanoseconds: UInt64 = 300_000_000_000
    /// Stations to remember, rounded up to a power of two.
    public var addressCapacity = 1024
    /// The longest frame that goes through, without CRC, in bytes.
    public var maximumFrameLength = maximumFrameBytes
    /// Frames of one port before it is the next one's turn.
    public var burst = 64

    public init() {}
}

/// A switch that learns which station is behind which port.
///
/// A frame leaves with the wire time and the tag it came with: the switch takes no time. A full wire does not hold the
/// switch; what does not fit is dropped and counted, as in a real one. Belongs to the thread that polls it.
public final class LearningSwitch: Pollable {
    private let clock: DeviceClock
    private var fabric: SwitchFabric

    public init(clock: DeviceClock, options: SwitchOptions = SwitchOptions()) {
        self.clock = clock
        fabric = SwitchFabric(options)
    }

    /// Plugs a wire in; the number of its port, counted from 0.
    @discardableResult public func connect(_ wire: consuming WirePort) -> Int { fabric.append(wire) }

    /// Frames of one port; nil if there is no such port.
    public func counters(ofPort port: Int) -> SwitchPortCounters? { fabric.counters(ofPort: port) }

    /// The port behind which a station is; nil if that is not known, or not any more.
    public func port(of station: MACAddress) -> Int? { fabric.addresses.port(of: station, now: clock.now) }

    /// How many stations are known now.
    public var stationCount: Int { fabric.addresses.count(now: clock.now) }

    public var addressCounters: AddressTableCounters { fabric.addresses.counters }

    public func poll() -> Bool { fabric.forward(now: clock.now) }

    public var wakeDescriptors: [Int32] { (0..<fabric.count).map { fabric.wakeDescriptor(ofPort: $0) } }

    public func setSleeping(_ sleeping: Bool) { fabric.setSleeping(sleeping) }
}
