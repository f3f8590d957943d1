// The table under the hash and the address filter.

import Ethernet
import Testing

@Suite struct LookupTableTests {
    @Test func wordsAreZeroUntilTheyAreSet() {
        var table = LookupTable(count: 5)
        for index in 0..<5 { #expect(table[index] == 0) }
        for index in 0..<5 { table[index] = UInt32(index) &* 0x1234_5679 }
        for index in 0..<5 { #expect(table[index] == UInt32(index) &* 0x1234_5679) }
    }

    @Test func anIndexOutsideIsAProgrammersError() async {
        await #expect(processExitsWith: .failure) { _ = LookupTable(count: 5)[5] }
        await #expect(processExitsWith: .failure) { _ = LookupTable(count: 5)[-1] }
        await #expect(processExitsWith: .failure) {
            var table = LookupTable(count: 5)
            table[5] = 1
        }
    }
}
