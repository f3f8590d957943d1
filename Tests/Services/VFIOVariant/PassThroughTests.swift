// Plain vfio-pci over a small function, wherever that is: regions as the BARs are, accesses of every size and alignment,
// and the errors that vfio-pci has.

import Backing
import Clock
import Glibc
import Interrupts
import Leases
import PCIe
import Simulation
import Testing
import VFIOUserTestClient
import VFIOVariant

private func end(_ lease: consuming InterruptLease) {}

@Suite struct PassThroughTests {
    private static let commandOn: [UInt8] = [0x06, 0x00]

    @Test(arguments: Place.allCases)
    func regionsAreWhatSizingTheBARsShows(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        #expect(try function.device.region(0) == VFIORegion(byteCount: 0x1000))
        let memory = VFIORegion(byteCount: 0x4000, is64Bit: true, isPrefetchable: true)
        #expect(try function.device.region(2) == memory)
        for index in [1, 3, 4, 5, VFIORegion.rom] { #expect(try function.device.region(index) == .absent) }
        #expect(try function.device.region(VFIORegion.config).byteCount == 4096)
        for index in [-1, VFIORegion.vga, 9, Int.max, Int.min] {
            #expect(errorCode { () throws(VFIOError) in _ = try function.device.region(index) } == EINVAL)
        }
    }

    /// The BARs have their addresses and the function its memory space back.
    @Test(arguments: Place.allCases)
    func sizingLeavesNothingBehind(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        let before = try function.device.read(VFIORegion.config, 0, 64)
        #expect(before[4] & 2 == 2)
        #expect(before[0x10..<0x14] != [0xFF, 0xFF, 0xFF, 0xFF] && before[0x13] != 0)
    }

    /// A run of configuration space of any length, from any place, is what its bytes are one by one.
    @Test(arguments: Place.allCases)
    func configurationSpaceIsReadAtEveryWidthAndAlignment(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        let whole = try function.device.read(VFIORegion.config, 0, 4096)
        #expect(whole.count == 4096 && whole[0...1] == [0x0B, 0x1D])
        for offset in 0..<0x48 {
            for count in [1, 2, 3, 4, 5, 7, 8, 16, 24] {
                let bytes = try function.device.read(VFIORegion.config, UInt64(offset), count)
                #expect(bytes == Array(whole[offset..<offset + count]), "\(count) bytes at \(offset)")
            }
        }
    }

    @Test func aStraddlingConfigWriteReachesAllItsRegisters() throws {
        let function = try Function(.inProcess)
        defer { function.finish() }
        try function.device.open()
        // Cache line size (0x0C) is writable, BAR 0 from bit 12 on, BAR 2 from bit 14 on.
        let bytes: [UInt8] = [0x40, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        #expect(try function.device.write(VFIORegion.config, 0x0C, bytes) == 16)
        #expect(
            try function.device.read(VFIORegion.config, 0x0C, 16) == [
                0x40, 0, 0, 0, 0x00, 0xF0, 0xFF, 0xFF, 0, 0, 0, 0, 0x0C, 0xC0, 0xFF, 0xFF,
            ]
        )
        #expect(try function.device.write(VFIORegion.config, 0x3B, [1, 0x0B, 9]) == 3)
        #expect(
            try function.device.read(VFIORegion.config, 0x3B, 3) == [0, 0x0B, 1],
            "the line is the OS's, the pin not"
        )
    }

    @Test(arguments: Place.allCases)
    func registersAreReadAndWrittenAtTheirSize(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        #expect(try function.device.write(0, SampleDevice.Offset.scratch, [1, 2, 3, 4]) == 4)
        for (offset, count) in [(0, 1), (1, 1), (0, 2), (2, 2), (1, 3), (0, 4)] as [(UInt64, Int)] {
            let expected = Array(([1, 2, 3, 4] as [UInt8])[Int(offset)..<Int(offset) + count])
            #expect(try function.device.read(0, offset, count) == expected)
        }
        // The sample takes whole words only: two bytes are two accesses that it drops.
        #expect(try function.device.write(0, 1, [9, 9]) == 2)
        #expect(try function.device.read(0, 0, 4) == [1, 2, 3, 4])
        #expect(try function.device.write(0, 0x10, [1, 2, 3, 4, 5, 6, 7, 8]) == 8)
        #expect(try function.device.read(0, 0x10, 4) == [1, 2, 3, 4])
        #expect(try function.device.read(0, 0x14, 4) == [5, 6, 7, 8])
    }

    @Test(arguments: Place.allCases)
    func aRunOfMemoryOfAnyLengthGoesThroughWhole(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        var random = SeededRandom(seed: 7)
        var reference = [UInt8](repeating: 0, count: 0x4000)
        for _ in 0..<200 {
            let offset = Int.random(in: 0..<0x4000, using: &random)
            let bytes = (0..<Int.random(in: 1...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let inside = min(bytes.count, 0x4000 - offset)
            #expect(try function.device.write(2, UInt64(offset), bytes) == inside)
            reference.replaceSubrange(offset..<offset + inside, with: bytes.prefix(inside))
            let start = Int.random(in: 0..<0x4000, using: &random)
            let count = Int.random(in: 1...80, using: &random)
            let expected = Array(reference[start..<min(start + count, 0x4000)])
            #expect(try function.device.read(2, UInt64(start), count) == expected)
        }
    }

    /// What vfio-pci answers to accesses that cannot be.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let region: Int
        let offset: UInt64
        let count: Int
        let code: Int32
        var testDescription: String { "\(count) bytes at \(offset) of region \(region)" }
    }

    static let refusals: [Refusal] =
        [
            Refusal(region: 0, offset: 0x1000, count: 1, code: EINVAL),
            Refusal(region: 0, offset: .max, count: 4, code: EINVAL),
            Refusal(region: 2, offset: 0x4000, count: 4, code: EINVAL),
            Refusal(region: 2, offset: .max - 3, count: 8, code: EINVAL),
            Refusal(region: 7, offset: 4096, count: 1, code: EFAULT),
            Refusal(region: 7, offset: 4095, count: 2, code: EFAULT),
            Refusal(region: 7, offset: .max, count: 2, code: EFAULT),
            Refusal(region: 7, offset: 0, count: 4097, code: EFAULT),
        ]
        + [1, 3, 4, 5, 6, 8, 9, -1, .max, .min].map { Refusal(region: $0, offset: 0, count: 4, code: EINVAL) }

    @Test(arguments: refusals)
    func refusesWhatVFIORefuses(_ refusal: Refusal) throws {
        let function = try Function(.inProcess)
        defer { function.finish() }
        try function.device.open()
        let before = try function.device.read(VFIORegion.config, 0, 4096)
        let read = errorCode { () throws(VFIOError) in
            _ = try function.device.read(refusal.region, refusal.offset, refusal.count)
        }
        #expect(read == refusal.code)
        let write = errorCode { () throws(VFIOError) in
            let bytes = [UInt8](repeating: 0xFF, count: refusal.count)
            _ = try function.device.write(refusal.region, refusal.offset, bytes)
        }
        #expect(write == refusal.code)
        #expect(try function.device.read(VFIORegion.config, 0, 4096) == before)
        #expect(try function.device.read(refusal.region, refusal.offset, 0) == [], "nothing is asked for")
    }

    @Test(arguments: Place.allCases)
    func anAccessIsCutShortAtARegionsEnd(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        #expect(try function.device.write(2, 0x3FFC, [1, 2, 3, 4, 5, 6, 7, 8]) == 4)
        #expect(try function.device.read(2, 0x3FFC, 8) == [1, 2, 3, 4])
    }

    @Test(arguments: Place.allCases)
    func registersDoNotAnswerWhileMemorySpaceIsOff(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        try function.device.write(VFIORegion.config, 4, [0, 0])
        #expect(errorCode { () throws(VFIOError) in _ = try function.device.read(0, 0, 4) } == EIO)
        #expect(errorCode { () throws(VFIOError) in try function.device.write(0, 0, [1]) } == EIO)
        try function.device.write(VFIORegion.config, 4, Self.commandOn)
        #expect(try function.device.read(0, 0, 4) == [0, 0, 0, 0])
    }

    @Test(arguments: Place.allCases)
    func whatOneUserLeavesTheNextDoesNotFind(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        let closed = errorCode { () throws(VFIOError) in _ = try function.device.region(0) }
        #expect(closed == EBADF, "before it is opened")
        try function.device.open()
        #expect(errorCode { () throws(VFIOError) in try function.device.open() } == EBUSY)
        try function.device.write(VFIORegion.config, 4, Self.commandOn)
        try function.device.write(0, 0, [1, 2, 3, 4])
        function.device.close()
        #expect(function.model.readConfig(ConfigSpace.Offset.command, .word) & 4 == 0, "DMA has ended")
        #expect(errorCode { () throws(VFIOError) in _ = try function.device.read(0, 0, 4) } == EBADF)
        function.device.close()
        try function.device.open()
        #expect(try function.device.read(0, 0, 4) == [0, 0, 0, 0])
    }

    @Test(arguments: Place.allCases)
    func resetClearsTheFunctionAndKeepsItsAddresses(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        let header = try function.device.read(VFIORegion.config, 0x10, 24)
        try function.device.write(0, 0, [1, 2, 3, 4])
        try function.device.reset()
        #expect(try function.device.read(0, 0, 4) == [0, 0, 0, 0])
        #expect(try function.device.read(VFIORegion.config, 0x10, 24) == header)
    }

    @Test(arguments: Place.allCases)
    func vectorsAreLeasesOfTheFunction(_ place: Place) throws {
        let function = try Function(place)
        defer { function.finish() }
        try function.device.open()
        do {
            var lease = try function.device.attachVector(3, cpu: nil)
            try function.device.write(0, SampleDevice.Offset.fire, [3, 0, 0, 0])
            let hasFired = lease.consume()
            #expect(hasFired)
            let taken = errorCode { () throws(VFIOError) in end(try function.device.attachVector(3, cpu: nil)) }
            #expect(taken == ENOSPC)
            let outside = errorCode { () throws(VFIOError) in end(try function.device.attachVector(20, cpu: nil)) }
            #expect(outside == EINVAL)
        }
        #expect(function.census.outstanding.isEmpty)
    }

    /// The call is there, which the first versions of a variant driver had not: what is not known is not a device's failure.
    @Test func deviceFeaturesAreAnsweredWithENOTTY() throws {
        let function = try Function(.inProcess)
        defer { function.finish() }
        try function.device.open()
        for flags in [0, 0x1_0001, 0x2_0003, 0x4_0000, .max] as [UInt32] {
            #expect(errorCode { () throws(VFIOError) in _ = try function.device.feature(flags, []) } == ENOTTY)
        }
    }

    /// Every step of finding the BARs, of opening and of the first accesses fails once.
    @Test func aFailingBackingLeavesNothingOnLoan() throws {
        let census = Census()
        let steps = try walk(FaultPlan(), census).stepCount
        #expect(steps > 20)
        for step in 0..<steps {
            let model = SampleDevice(clock: .monotonic)
            let backing = Faulty(InProcess(model, name: "sample", census: census), plan: FaultPlan(failAtStep: step))
            let before = model.baseAddressRegisters.map { model.readConfig(0x10 + UInt16($0.index) * 4, .doubleWord) }
            #expect(throws: VFIOError.self) { try walk(backing) }
            let after = model.baseAddressRegisters.map { model.readConfig(0x10 + UInt16($0.index) * 4, .doubleWord) }
            #expect(after == before, "step \(step)")
            #expect(census.outstanding.isEmpty, "step \(step)")
        }
    }

    private func walk(_ plan: FaultPlan, _ census: Census) throws -> Faulty<InProcess<SampleDevice>> {
        let model = SampleDevice(clock: .monotonic)
        let backing = Faulty(InProcess(model, name: "sample", census: census), plan: plan)
        try walk(backing)
        return backing
    }

    private func walk(_ backing: Faulty<InProcess<SampleDevice>>) throws {
        let device = try PassThrough(backing)
        try device.open()
        _ = try device.read(0, 0, 4)
        _ = try device.read(VFIORegion.config, 0, 64)
        end(try device.attachVector(1, cpu: nil))
        try device.reset()
    }
}
