// `doorbell inspect`: what it shows of a device at work.

import Doorbell
import Foundation
import Testing

@Suite struct InspectTests {
    @Test func showsTheVectorsOfAnI225AtWork() throws {
        let listing = try #require(try Inspection.look("i225/vectors"))
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

    @Test(arguments: ["", "i225", "i225/", "vectors", "i225/vectors/0", "e810/vectors"])
    func knowsNoOtherPath(_ path: String) throws {
        #expect(try Inspection.look(path) == nil)
    }
}
