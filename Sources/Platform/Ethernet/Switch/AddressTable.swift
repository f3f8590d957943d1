// Which station is behind which port: the switch's memory. Source of truth: IEEE 802.1Q-2022, 8.8 (filtering database,
// dynamic entries, ageing).

/// What the table has seen, since it exists.
public struct AddressTableCounters: Sendable, Equatable {
    /// Stations that came in, also those that came back after they had aged out.
    public var learned: UInt64 = 0
    /// Stations that showed up behind another port.
    public var moved: UInt64 = 0
    /// Stations that were forgotten early to make room.
    public var evicted: UInt64 = 0

    public init() {}
}

/// Stations and their ports, four to a set, like the table of a hardware switch: a look-up costs the same however many
/// addresses a hostile station makes up, and all it wins is that other stations are flooded to.
@safe struct AddressTable: ~Copyable {
    // SAFETY: `entries` is initialised in whole by `init`; sets are found by a hash that is cut to their number.
    private struct Entry {
        /// The address, and the port from bit 48 up; 0 while the entry is free: no station has the address 0.
        var station: UInt64
        var lastSeen: UInt64

        /// A free entry is older than any other.
        func isOlder(than other: Entry) -> Bool {
            guard station != 0, other.station != 0 else { return station == 0 && other.station != 0 }
            return lastSeen < other.lastSeen
        }
    }

    private static var ways: Int { 4 }

    private let entries: UnsafeMutablePointer<Entry>
    private let setBits: Int
    private let ageingNanoseconds: UInt64
    private(set) var counters = AddressTableCounters()

    /// - Parameter capacity: stations to hold, rounded up to a power of two.
    init(capacity: Int, ageingNanoseconds: UInt64) {
        precondition(capacity > 0 && capacity <= 1 << 24, "address table capacity")
        var bits = 0
        while Self.ways << bits < capacity { bits += 1 }
        setBits = bits
        self.ageingNanoseconds = ageingNanoseconds
        unsafe entries = .allocate(capacity: Self.ways << bits)
        unsafe entries.initialize(repeating: Entry(station: 0, lastSeen: 0), count: Self.ways << bits)
    }

    deinit { unsafe entries.deallocate() }

    /// The port behind which `address` was seen last; nil if that is too long ago.
    func port(of address: MACAddress, now: UInt64) -> Int? {
        let set = firstEntry(of: address)
        for way in 0..<Self.ways {
            let entry = unsafe entries[set &+ way]
            if entry.station & 0xFFFF_FFFF_FFFF == address.value {
                return isCurrent(entry, now) ? Int(entry.station &>> 48) : nil
            }
        }
        return nil
    }

    /// Notes that a frame of `address` came in by `port`.
    mutating func learn(_ address: MACAddress, port: Int, now: UInt64) {
        let set = firstEntry(of: address)
        let station = address.value | UInt64(truncatingIfNeeded: port) &<< 48
        var victim = set
        for index in set..<(set &+ Self.ways) {
            let entry = unsafe entries[index]
            if entry.station & 0xFFFF_FFFF_FFFF == address.value {
                if !isCurrent(entry, now) {
                    counters.learned &+= 1
                } else if entry.station != station {
                    counters.moved &+= 1
                }
                unsafe entries[index] = Entry(station: station, lastSeen: now)
                return
            }
            if unsafe entry.isOlder(than: entries[victim]) { victim = index }
        }
        if unsafe isCurrent(entries[victim], now) { counters.evicted &+= 1 }
        counters.learned &+= 1
        unsafe entries[victim] = Entry(station: station, lastSeen: now)
    }

    /// How many stations are known. Looks at every entry.
    func count(now: UInt64) -> Int {
        var count = 0
        for index in 0..<(Self.ways << setBits) where unsafe isCurrent(entries[index], now) { count += 1 }
        return count
    }

    private func isCurrent(_ entry: Entry, _ now: UInt64) -> Bool {
        entry.station != 0 && now &- entry.lastSeen < ageingNanoseconds
    }

    private func firstEntry(of address: MACAddress) -> Int {
        // Fibonacci hashing: makers give out addresses in sequence, and so do tests.
        let hash = address.value &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> (64 &- setBits)) &* Self.ways
    }
}
