// `doorbell inspect`: what it shows of a device at work.

import Doorbell
import Foundation
import Interrupts
import Testing

@Suite struct InspectTests {
    @Test func showsTheVectorsOfAnI225AtWork() throws {
        let listing = try #require(try Inspection.look("i225/vectors") as? VectorListing)
        #expect(listing.device == "virtual:i225" && listing.tableCount == 5)
        #expect(listing.vectors.map(\.index) == [0, 1, 2, 3, 4])
        let queues = (0..<4).map { "virtual:i225-TxRx-\($0)" }
        #expect(listing.vectors.map(\.name) == ["virtual:i225"] + queues)
        #expect(listing.vectors.dropFirst().allSatisfy { $0.fired > 0 && $0.cpus != nil })
        let lines = listing.text.split(separator: "\n")
        #expect(lines.first == "virtual:i225: 5 of 5 vectors on loan" && lines.count == 7)
        let decoded = try JSONDecoder().decode(VectorListing.self, from: Data(try listing.json().utf8))
        #expect(decoded.vectors == listing.vectors)
    }

    /// As many as this machine's CPUs have use for, the command channel's first.
    @Test func showsTheVectorsOfAMANAAtWork() throws {
        let listing = try #require(try Inspection.look("mana/vectors") as? VectorListing)
        let online = try Topology.read().online.count
        #expect(listing.device == "virtual:mana" && listing.tableCount == 128)
        #expect(listing.vectors.map(\.index) == Array(0...min(online, 64)))
        let queues = (0..<min(online, 64)).map { "mana_q\($0)@pci:virtual:mana" }
        #expect(listing.vectors.map(\.name) == ["mana_hwc@pci:virtual:mana"] + queues)
        #expect(listing.vectors.first.map { $0.fired > 10 } == true, "a message per answer of the channel")
        #expect(listing.vectors.dropFirst().allSatisfy { $0.cpus != nil })
        #expect(listing.vectors.dropFirst().contains { $0.fired > 0 })
    }

    @Test func showsHowAGPUsMemoryIsSplit() throws {
        var gpu = GraceHopperCard()
        gpu.memory = MemorySize(byteCount: 97871 << 20)
        let listing = try #require(try Inspection.look("gracehopper", gpu: gpu) as? GraceHopperListing)
        #expect(listing.id == 0x2342 && listing.plainReason == nil)
        #expect(listing.properties["nvidia,gpu-mem-size"] == 97871 << 20)
        #expect(listing.parts.map(\.name) == ["usable", "reserved"] && listing.parts.map(\.region) == [4, 2])
        #expect(listing.parts.map(\.byteCount) == [96768 << 20, 1103 << 20])
        #expect(listing.parts.map(\.barByteCount) == [128 << 30, 2 << 30])
        #expect(listing.regions.map(\.index) == [0, 2, 4, 7])
        #expect(listing.regions.map(\.byteCount) == [16 << 20, 2 << 30, 128 << 30, 4096])
        #expect(listing.regions.map(\.mappableByteCount) == [0, 1103 << 20, 96768 << 20, 0])
        #expect(listing.text.contains("97871 MiB") == false && listing.text.contains("96768 MiB"))
        let decoded = try JSONDecoder().decode(GraceHopperListing.self, from: Data(try listing.json().utf8))
        #expect(decoded.parts == listing.parts && decoded.regions == listing.regions)
    }

    @Test func showsWhyAGPUIsLentAsItIs() throws {
        var gpu = GraceHopperCard()
        gpu.isLinkDown = true
        let listing = try #require(try Inspection.look("gracehopper", gpu: gpu) as? GraceHopperListing)
        #expect(listing.plainReason?.contains("the link is down") == true && listing.parts.isEmpty)
        // The GPU's own window to no memory.
        #expect(listing.regions.map(\.index) == [0, 2, 7])
        #expect(listing.text.contains("lent as it is: "))
    }

    @Test(arguments: ["", "i225", "i225/", "vectors", "i225/vectors/0", "e810/vectors"])
    func knowsNoOtherPath(_ path: String) throws {
        #expect(try Inspection.look(path) == nil)
    }
}
