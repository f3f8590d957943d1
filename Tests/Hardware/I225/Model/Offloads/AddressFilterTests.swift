// Which frames are taken in.

import Ethernet
import I225Model
import Simulation
import TestFrames
import Testing

private let station: [UInt8] = [0x00, 0xA0, 0xC9, 0x01, 0x02, 0x03]
private let other: [UInt8] = [0x00, 0xA0, 0xC9, 0x01, 0x02, 0x04]
private let group: [UInt8] = [0x01, 0x00, 0x5E, 0x01, 0x02, 0x03]
private let everybody = [UInt8](repeating: 0xFF, count: 6)

/// RAL and RAH of an address, as Linux `igc_rar_set` writes them.
private func low(_ address: [UInt8]) -> UInt32 {
    UInt32(address[0]) | UInt32(address[1]) << 8 | UInt32(address[2]) << 16 | UInt32(address[3]) << 24
}

private func high(_ address: [UInt8], _ flags: UInt32 = 1 << 31) -> UInt32 {
    UInt32(address[4]) | UInt32(address[5]) << 8 | flags
}

private func filter(_ change: (inout AddressFilter) -> Void = { _ in }) -> AddressFilter {
    var filter = AddressFilter()
    filter.setEntry(0, low: low(station), high: high(station))
    change(&filter)
    return filter
}

private func frame(to destination: [UInt8], from source: [UInt8] = other) -> [UInt8] {
    ethernet(to: destination, from: source, type: 0x88B5, payload(46))
}

@Suite struct AddressFilterTests {
    @Test func onlyOwnFramesByDefault() {
        let filter = filter()
        #expect(filter.match(frame(to: station).raw) == AddressMatch(kind: .unicast, queue: nil))
        #expect(filter.match(frame(to: other).raw) == nil)
        #expect(filter.match(frame(to: group).raw) == nil)
        #expect(filter.match(frame(to: everybody).raw) == nil)
    }

    @Test func eachPromiscuityIsItsOwn() {
        let unicast = filter { $0.acceptsEveryUnicast = true }
        let multicast = filter { $0.acceptsEveryMulticast = true }
        let broadcast = filter { $0.acceptsBroadcast = true }
        for (destination, kind) in [(other, DestinationKind.unicast), (group, .multicast), (everybody, .broadcast)] {
            let bytes = frame(to: destination)
            #expect((unicast.match(bytes.raw) != nil) == (kind == .unicast))
            #expect((multicast.match(bytes.raw) != nil) == (kind == .multicast))
            #expect((broadcast.match(bytes.raw) != nil) == (kind == .broadcast))
        }
    }

    @Test func everyEntryCountsWhileItIsValid() {
        for index in 0..<16 {
            var filter = AddressFilter()
            filter.setEntry(index, low: low(other), high: high(other))
            #expect(filter.match(frame(to: other).raw) != nil)
            filter.setEntry(index, low: low(other), high: high(other, 0))
            #expect(filter.match(frame(to: other).raw) == nil)
        }
    }

    @Test func everyBitOfAnAddressCounts() {
        let filter = filter()
        for bit in 1..<48 {
            var near = station
            near[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(filter.match(frame(to: near).raw) == nil, "bit \(bit)")
        }
    }

    @Test func groupsMayBeExactEntriesToo() {
        let filter = filter { $0.setEntry(1, low: low(group), high: high(group)) }
        #expect(filter.match(frame(to: group).raw)?.kind == .multicast)
    }

    @Test func anEntryMayNameAQueue() {
        for queue in 0..<4 {
            let flags: UInt32 = 1 << 31 | 1 << 28 | UInt32(queue) << 18
            let filter = filter { $0.setEntry(3, low: low(other), high: high(other, flags)) }
            #expect(filter.match(frame(to: other).raw)?.queue == queue)
            #expect(filter.match(frame(to: station).raw)?.queue == nil)
        }
    }

    @Test func aQueueWithoutItsEnableIsNone() {
        let filter = filter { $0.setEntry(3, low: low(other), high: high(other, 1 << 31 | 3 << 18)) }
        #expect(filter.match(frame(to: other).raw) == AddressMatch(kind: .unicast, queue: nil))
    }

    @Test func anEntryMayCompareTheSource() {
        let flags: UInt32 = 1 << 31 | 1 << 28 | 2 << 18 | 1 << 16
        let filter = filter { $0.setEntry(1, low: low(other), high: high(other, flags)) }
        #expect(filter.match(frame(to: station, from: other).raw)?.queue == 2)
        #expect(filter.match(frame(to: station, from: group).raw)?.queue == nil)
        #expect(filter.match(frame(to: other, from: station).raw) == nil)
    }

    @Test func ofTwoQueuesTheFirstCounts() {
        let filter = filter {
            $0.setEntry(2, low: low(station), high: high(station, 1 << 31 | 1 << 28 | 3 << 18))
            $0.setEntry(7, low: low(station), high: high(station, 1 << 31 | 1 << 28 | 1 << 18))
        }
        #expect(filter.match(frame(to: station).raw)?.queue == 3)
    }

    @Test func theMulticastTableIsHashedAsLinuxHashesIt() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<200 {
            var address = (0..<6).map { _ in UInt8.random(in: 0...255, using: &random) }
            address[0] |= 1
            // I225 contract, section 2.4: the formula for MO 0.
            let hash = Int(UInt16(address[4]) >> 4 | UInt16(address[5]) << 4) & 0xFFF
            let onlyThis = filter { $0.multicastTable[hash / 32] = 1 << UInt32(hash % 32) }
            let allButThis = filter {
                for index in 0..<128 { $0.multicastTable[index] = ~0 }
                $0.multicastTable[hash / 32] = ~(1 << UInt32(hash % 32))
            }
            #expect(onlyThis.match(frame(to: address).raw) != nil)
            #expect(allButThis.match(frame(to: address).raw) == nil)
        }
    }

    @Test(arguments: [(0, 36), (1, 35), (2, 34), (3, 32)])
    func theMulticastOffsetMovesTheBits(offset: Int, lowestBit: Int) {
        for bit in 0..<12 {
            // One bit of the hash set, by one bit of the address: bit 0 is the first on the wire.
            var address: [UInt8] = [0x01, 0, 0, 0, 0, 0]
            address[(lowestBit + bit) / 8] |= 1 << UInt8((lowestBit + bit) % 8)
            let hash = 1 << bit
            let filter = filter {
                $0.multicastOffset = offset
                $0.multicastTable[hash / 32] = 1 << UInt32(hash % 32)
            }
            #expect(filter.match(frame(to: address).raw) != nil, "bit \(bit)")
        }
    }

    @Test func theMulticastTableIsNotForStations() {
        let filter = filter { for index in 0..<128 { $0.multicastTable[index] = ~0 } }
        #expect(filter.match(frame(to: other).raw) == nil)
        #expect(filter.match(frame(to: everybody).raw)?.kind == .broadcast)
    }

    @Test func aFrameTooShortForAddressesIsForNobody() {
        let filter = filter {
            $0.acceptsEveryUnicast = true
            $0.acceptsEveryMulticast = true
            $0.acceptsBroadcast = true
        }
        let bytes = frame(to: station)
        for count in 0..<14 { #expect(filter.match([UInt8](bytes[..<count]).raw) == nil) }
        #expect(filter.match([UInt8](bytes[..<14]).raw) != nil)
    }
}
