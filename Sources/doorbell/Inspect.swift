// `doorbell inspect`: looks into a virtual device at work.

import ArgumentParser
import Doorbell

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the state of a virtual device with its driver at work.",
        discussion: """
            A path names a device, then what to look at: \(Inspection.paths.joined(separator: ", ")).
            gracehopper: how the GPU's memory is split, and what a virtual machine gets.
            Vectors: index in the MSI-X table, name, the CPUs where the handler is to run, messages so far.
            """
    )

    @Argument(help: ArgumentHelp("What to look at, e.g. i225/vectors.", valueName: "path"))
    var path: String

    @Flag(name: .shortAndLong, help: "Print one JSON document.")
    var json = false

    @OptionGroup(title: "gracehopper") var gpu: GPUOptions

    func run() throws {
        guard let listing = try Inspection.look(path, gpu: gpu.card) else {
            throw ValidationError("there is no \(path); there is \(Inspection.paths.joined(separator: ", "))")
        }
        print(json ? try listing.json() : listing.text)
    }
}
