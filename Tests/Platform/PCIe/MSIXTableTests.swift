// The vectors of a function: what is kept pending while masked, and what becomes deliverable by an unmask.

import PCIe
import Testing

@Suite struct MSIXTableTests {
    /// Writes the vector control word of `vector`.
    private func setMask(_ masked: Bool, of vector: Int, in table: inout MSIXTable) -> Int? {
        table.write(tableOffset: vector * 16 + 12, masked ? 1 : 0)
    }

    @Test(arguments: [1, 4, 63, 64, 65, 2048])
    func startsMaskedAndIdle(count: Int) {
        let table = MSIXTable(count: count)
        #expect(table.tableByteCount == count * 16)
        #expect(table.pendingByteCount == (count + 63) / 64 * 8)
        #expect((0..<count).allSatisfy { table.isMasked($0) })
        #expect(stride(from: 0, to: table.pendingByteCount, by: 4).allSatisfy { table.read(pendingOffset: $0) == 0 })
    }

    @Test(arguments: [0, -1, 2049])
    func anImpossibleSizeTraps(count: Int) async {
        await #expect(processExitsWith: .failure) { [count] in _ = MSIXTable(count: count) }
    }

    @Test func anUnmaskedVectorFiresAtOnce() {
        var table = MSIXTable(count: 4)
        #expect(setMask(false, of: 2, in: &table) == nil)
        #expect(table.fire(2) == true)
        #expect(table.read(pendingOffset: 0) == 0)
    }

    /// Each vector in turn, over the edge of the first pending word: kept while masked, given out once by the unmask.
    @Test func aMaskedVectorIsKeptAndGivenOutOnce() {
        var table = MSIXTable(count: 130)
        for vector in 0..<130 {
            #expect(table.fire(vector) == false)
            #expect(table.fire(vector) == false, "pending is a bit, not a count")
            let word = table.read(pendingOffset: vector / 32 * 4)
            #expect(word == 1 << UInt32(vector % 32))
            #expect(setMask(true, of: vector, in: &table) == nil, "masking a masked vector delivers nothing")
            #expect(setMask(false, of: vector, in: &table) == vector)
            #expect(table.read(pendingOffset: vector / 32 * 4) == 0)
            #expect(setMask(false, of: vector, in: &table) == nil)
        }
    }

    /// PCI Express Base 5.0 §7.7.2.2: the function mask holds all vectors, whatever their own bits say.
    @Test func theFunctionMaskHoldsAllVectors() {
        var table = MSIXTable(count: 70)
        for vector in [0, 1, 65] { #expect(setMask(false, of: vector, in: &table) == nil) }
        #expect(table.setFunctionMask(true) == [])
        for vector in [0, 2, 65] { #expect(table.fire(vector) == false) }
        #expect(setMask(false, of: 0, in: &table) == nil, "its own mask does not lift the function's")
        #expect(table.setFunctionMask(true) == [])
        #expect(table.setFunctionMask(false) == [0, 65], "vector 2 is masked on its own")
        #expect(table.setFunctionMask(false) == [])
        #expect(table.fire(1) == true)
        #expect(setMask(false, of: 2, in: &table) == 2)
    }

    @Test func entriesKeepWhatIsWritten() {
        var table = MSIXTable(count: 2)
        let entry: [UInt32] = [0xFEE0_0000, 0x1, 0x4021, 0]
        for word in 0..<4 { #expect(table.write(tableOffset: 16 + word * 4, entry[word]) == nil) }
        #expect((0..<4).map { table.read(tableOffset: 16 + $0 * 4) } == entry)
        #expect((0..<4).map { table.read(tableOffset: $0 * 4) } == [0, 0, 0, 1])
    }

    @Test func reservedBitsStayZero() {
        var table = MSIXTable(count: 1)
        _ = table.write(tableOffset: 0, 0xFFFF_FFFF)
        _ = table.write(tableOffset: 12, 0xFFFF_FFFF)
        #expect(table.read(tableOffset: 0) == 0xFFFF_FFFC, "a message address is aligned to 4 bytes")
        #expect(table.read(tableOffset: 12) == 1, "vector control has one bit")
    }

    @Test func offsetsAndVectorsOutsideAreHarmless() {
        var table = MSIXTable(count: 3)
        for offset in [-4, -1, 48, 4096, Int.min, Int.max] {
            #expect(table.read(tableOffset: offset) == 0)
            #expect(table.write(tableOffset: offset, 0) == nil)
            #expect(table.read(pendingOffset: offset) == 0)
        }
        for vector in [-1, 3, Int.min, Int.max] { #expect(table.fire(vector) == false) }
        #expect(table.read(pendingOffset: 0) == 0)
        #expect((0..<3).allSatisfy { table.isMasked($0) })
    }

    @Test func resetMasksAndForgets() {
        var table = MSIXTable(count: 2)
        _ = table.write(tableOffset: 0, 0x1000)
        _ = setMask(false, of: 0, in: &table)
        _ = table.fire(1)
        _ = table.setFunctionMask(true)
        table.reset()
        #expect(table.isMasked(0) && table.read(tableOffset: 0) == 0)
        #expect(setMask(false, of: 1, in: &table) == nil, "what was pending is gone")
        #expect(table.fire(1) == true, "the function mask is gone")
    }
}
