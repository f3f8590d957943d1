// A switch on a virtual clock with a station on every port.

import Clock
import Ethernet

final class SwitchBench {
    let clock = VirtualClock()
    let network: LearningSwitch
    private(set) var stations: [Station] = []

    init(stations count: Int, options: SwitchOptions = SwitchOptions(), wireCapacity: Int = 256 * 1024) throws {
        network = LearningSwitch(clock: .virtual(clock), options: options)
        for number in 0..<count {
            let (station, facing) = Station.onNewWire(capacity: wireCapacity)
            stations.append(station)
            let port = network.connect(try facing.take())
            precondition(port == number)
        }
    }

    /// One station sends, the switch forwards all; whether the wire took the frame.
    func send(_ frame: [UInt8], from station: Int, wireTime: UInt64 = 0, tag: UInt32 = 0) -> Bool {
        let sent = stations[station].send(frame, wireTime: wireTime, tag: tag)
        while network.poll() {}
        return sent
    }

    /// What came to each station since the last look.
    func received() -> [[[UInt8]]] { stations.map { $0.receiveAll() } }

    func counters(_ port: Int) -> SwitchPortCounters { network.counters(ofPort: port) ?? SwitchPortCounters() }
}

/// A frame with a header of 14 bytes and a payload that repeats `fill`.
func frame(to destination: MACAddress, from source: MACAddress, length: Int = 60, fill: UInt8 = 0x5A) -> [UInt8] {
    var bytes: [UInt8] = []
    for address in [destination, source] {
        for index in 0..<6 { bytes.append(address.bytes[index]) }
    }
    bytes += [0x88, 0xB5]  // an EtherType for experiments, IEEE 802
    bytes += [UInt8](repeating: fill, count: max(0, length - 14))
    return bytes
}

/// The address of a test's station.
func station(_ number: Int) -> MACAddress { MACAddress(value: 0x0200_0000_0000 | UInt64(number + 1)) }
