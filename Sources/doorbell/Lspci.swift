// `doorbell lspci`: the virtual devices as PCI functions.

import ArgumentParser
import Doorbell

struct Lspci: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the virtual devices as lspci lists a machine's.",
        discussion: """
            The stock tool decodes what --hex prints:
              doorbell lspci --hex > devices.hex && lspci -vvv -F devices.hex
            """
    )

    @Argument(help: ArgumentHelp("Only these devices, e.g. i225.", valueName: "device"))
    var devices: [String] = []

    @Flag(help: "Print all of configuration space in the form of lspci -xxxx.")
    var hex = false

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        guard let listing = try DeviceListing(devices) else {
            throw ValidationError("there is no virtual device \(devices.joined(separator: ", or no virtual device "))")
        }
        print(json ? try listing.json() : hex ? listing.hexDump : listing.text)
    }
}
