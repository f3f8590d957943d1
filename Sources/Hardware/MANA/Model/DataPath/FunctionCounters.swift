// What the function counts for QUERY_GF_STAT. Source: Linux struct mana_query_gf_stat_resp (mana.h) of 6.12 and 7.x.

import MANAWire

/// The 27 counters of a function, by `FunctionStatistic`.
package struct FunctionCounters: ~Copyable {
    private var counts = InlineArray<27, UInt64>(repeating: 0)

    package init() {}

    package subscript(_ statistic: FunctionStatistic) -> UInt64 { counts[statistic.rawValue] }

    mutating func add(_ statistic: FunctionStatistic) { counts[statistic.rawValue] &+= 1 }

    /// Adds a frame that was delivered.
    ///
    /// - Parameter destination: the first byte on the wire is the lowest.
    @inline(__always) mutating func addReceived(_ length: Int, destination: UInt64) {
        addFrame(length, destination, bytes: .receiveBytes, firstKind: .receiveUnicastPackets)
    }

    /// Adds a frame that was sent; see `addReceived`.
    @inline(__always) mutating func addSent(_ length: Int, destination: UInt64) {
        addFrame(length, destination, bytes: .transmitBytes, firstKind: .transmitUnicastPackets)
    }

    @inline(__always) private mutating func addFrame(
        _ length: Int,
        _ destination: UInt64,
        bytes: FunctionStatistic,
        firstKind: FunctionStatistic
    ) {
        let length = UInt64(truncatingIfNeeded: length)
        counts[bytes.rawValue] &+= length
        // Unicast, broadcast, multicast: packets and bytes of each lie side by side.
        var kind = firstKind.rawValue
        if destination & 1 != 0 { kind &+= destination & 0xFFFF_FFFF_FFFF == 0xFFFF_FFFF_FFFF ? 2 : 4 }
        counts[kind] &+= 1
        counts[kind &+ 1] &+= length
    }
}
