// What the kernel is told when vectors come and go, on kernels that add them and on kernels that cannot.

import LinuxVFIO
import Testing

@Suite struct VectorTableTests {
    private func table(isFixed: Bool) -> VectorTable {
        VectorTable(VFIOInterruptInfo(count: 5, isFixedOnceEnabled: isFixed))
    }

    @Test func addsOneAtATimeWhereTheKernelCan() throws {
        var table = table(isFixed: false)
        #expect(try table.attach(1, 10) == [.set(start: 1, [10])])
        #expect(try table.attach(4, 11) == [.set(start: 4, [11])])
        #expect(table.detach(1) == [.set(start: 1, [-1])])
        #expect(try table.attach(0, 12) == [.set(start: 0, [12])])
        #expect(table.detach(4) == [.set(start: 4, [-1])])
        #expect(table.detach(0) == [.disable], "the last one switches MSI-X off")
        #expect(table.attachedCount == 0)
    }

    @Test func setsAllAnewWhereTheKernelCannot() throws {
        var table = table(isFixed: true)
        #expect(try table.attach(2, 10) == [.set(start: 2, [10])])
        // Vector 2's messages between the two calls are lost: its owner must look.
        #expect(try table.attach(0, 11) == [.disable, .set(start: 0, [11, -1, 10]), .wake(10)])
        #expect(try table.attach(3, 12) == [.disable, .set(start: 0, [11, -1, 10, 12]), .wake(11), .wake(10)])
        #expect(table.detach(2) == [.set(start: 2, [-1])])
        #expect(table.restoration() == [.disable, .set(start: 0, [11, -1, -1, 12]), .wake(11), .wake(12)])
    }

    @Test func refusesWhatIsTakenOrNotThere() throws {
        var table = table(isFixed: false)
        _ = try table.attach(0, 10)
        #expect(throws: VectorTable.Refusal.attached) { try table.attach(0, 11) }
        #expect(throws: VectorTable.Refusal.outOfRange) { try table.attach(5, 11) }
        #expect(throws: VectorTable.Refusal.outOfRange) { try table.attach(-1, 11) }
        #expect(table.detach(3) == [])
        #expect(table.attachedCount == 1)
        #expect(table.detach(0) == [.disable])
        #expect(table.restoration() == [.disable])
    }
}
