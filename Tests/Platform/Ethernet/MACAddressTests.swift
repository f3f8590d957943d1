// Text to address and back, and the kinds of addresses.

import Ethernet
import Testing

@Suite struct MACAddressTests {
    @Test(arguments: ["00:a0:c9:00:00:01", "00:A0:C9:00:00:01", "00-a0-c9-00-00-01"])
    func readsTheUsualSpellings(text: String) throws {
        let address = try #require(MACAddress(text))
        #expect(address.value == 0x00A0_C900_0001)
        #expect(address.description == "00:a0:c9:00:00:01")
    }

    @Test(arguments: [
        "", "00:a0:c9:00:00", "00:a0:c9:00:00:01:02", "00:a0:c9:00:00:0", "00:a0:c9:00:00:0g", "00:a0-c9:00:00:01",
        "00a0:c9:00:00:010", "0 :a0:c9:00:00:01", "00:a0:c9:00:00:é", "00.a0.c9.00.00.01",
    ])
    func refusesAnythingElse(text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test func bytesAreInTheOrderOfTheWire() {
        let address = MACAddress(bytes: [0x02, 0x11, 0x22, 0x33, 0x44, 0x55])
        #expect(address.description == "02:11:22:33:44:55")
        let bytes = address.bytes
        for (index, expected) in [0x02, 0x11, 0x22, 0x33, 0x44, 0x55].enumerated() {
            #expect(bytes[index] == UInt8(expected))
        }
        #expect(MACAddress(value: 0xDEAD_0211_2233_4455) == address, "the upper bits are not part of an address")
    }

    @Test(arguments: [
        ("ff:ff:ff:ff:ff:ff", true, true, false),
        ("01:00:5e:00:00:01", true, false, false),
        ("00:00:00:00:00:00", false, false, false),
        ("02:00:00:00:00:01", false, false, true),
        ("00:a0:c9:00:00:01", false, false, true),
    ])
    func knowsGroupsFromStations(text: String, multicast: Bool, broadcast: Bool, station: Bool) throws {
        let address = try #require(MACAddress(text))
        #expect(address.isMulticast == multicast)
        #expect(address.isBroadcast == broadcast)
        #expect(address.isStation == station)
    }
}
