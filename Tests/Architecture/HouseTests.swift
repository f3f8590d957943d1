// The rules of the house, applied to this house.

import Testing

@Suite struct HouseTests {
    @Test func nobodyImportsWhatTheyMayNot() throws {
        let house = try HouseOnDisk.load()
        #expect(house.targets.contains { $0.name == "Registers" } && house.files.count > 40, "the tree was read")
        let violations = house.importViolations()
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    }

    @Test func everyFileKeepsTheHouseRules() throws {
        let violations = try HouseOnDisk.load().files.flatMap { $0.lintViolations() }
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    }
}
