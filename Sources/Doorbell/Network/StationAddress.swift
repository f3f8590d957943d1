// A card's address as a command line names it.

import Ethernet

/// The address of one station: neither of a group, nor zero.
public struct StationAddress: Sendable, Equatable {
    let address: MACAddress

    init(_ address: MACAddress) { self.address = address }

    /// Six pairs of hexadecimal digits with `:` or `-` between them; nil for anything else.
    public init?(_ text: String) {
        guard let address = MACAddress(text), address.isStation else { return nil }
        self.address = address
    }

    /// The address that is `count` further on: the first three bytes, which name the maker, stay.
    func advanced(by count: Int) -> MACAddress {
        let serial: UInt64 = 0xFF_FFFF
        return MACAddress(value: address.value & ~serial | (address.value &+ UInt64(count)) & serial)
    }
}
