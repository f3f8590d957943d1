// `doorbell stamp`: one frame and its hardware times.

import ArgumentParser
import Doorbell

struct Stamp: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Exchanges one frame with a virtual I225 and prints its hardware times.",
        discussion: "Prints the fields that the kernel's xdp_hw_metadata prints. Needs no root."
    )

    @Flag(help: "Print one JSON document.")
    var json = false

    @Option(help: "From the end of a frame to its stamp, in µs.")
    var stampDelay = 10

    func validate() throws {
        guard (0...1_000_000).contains(stampDelay) else { throw ValidationError("--stamp-delay takes 0 to 1000000.") }
    }

    func run() throws {
        let exchange = try StampExchange.run(stampDelayNanoseconds: UInt64(stampDelay) * 1000)
        print(json ? try exchange.json() : exchange.text)
        guard exchange.held else { throw ExitCode.failure }
    }
}
