// `doorbell spread`: where a device's vectors would be handled.

import ArgumentParser
import Doorbell

struct Spread: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the CPUs of a device's interrupt vectors, by the rules of Linux's mana driver.",
        discussion: """
            A line for each vector, the CPUs as the kernel lists them; "any" for one that may be anywhere.
              doorbell spread --vectors 9 --rule allAtOnce --node 1
            """
    )

    @Option(help: "How many vectors there are.")
    var vectors: Int

    @Option(help: "allAtOnce: to Linux 6.16; oneThenRest: 6.17; oneThenOneEach: the same of later kernels.")
    var rule = VectorSpread.newestRule

    @Option(help: "The device's NUMA node.")
    var node: Int?

    @Option(help: ArgumentHelp("Read the machine's topology here.", valueName: "folder"))
    var sysfs = "/sys"

    @Flag(help: "Print one JSON document.")
    var json = false

    func validate() throws {
        guard (0...2048).contains(vectors) else { throw ValidationError("--vectors takes 0 to 2048") }
    }

    func run() throws {
        let spread = try VectorSpread(vectors, rule, near: node, sysfs: sysfs)
        print(json ? try spread.json() : spread.text)
    }
}
