// `doorbell run`: real interfaces through a virtual device.

import ArgumentParser
import Doorbell
import Foundation

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Joins real Linux interfaces through a virtual device and its driver.",
        subcommands: [RunI225.self]
    )
}

struct RunI225: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "i225",
        abstract: "Passes frames between two TAP devices through a virtual I225 and the igc driver.",
        discussion: """
            Prints "ready" when frames pass, and runs until SIGTERM or SIGINT. TAP devices that do not exist are made, \
            and go with the command; they need CAP_NET_ADMIN. Set the interfaces up yourself, in namespaces if you like:
              doorbell run i225 --wire tap:dbw --netdev tap:dbn --capture out.pcapng
            """
    )

    @Option(help: ArgumentHelp("The far end of the card's wire.", valueName: "tap:NAME"))
    var wire: TAPArgument

    @Option(help: ArgumentHelp("The card's network interface on the host.", valueName: "tap:NAME"))
    var netdev: TAPArgument

    @Option(
        help: ArgumentHelp("Write what passes the card to this pcapng file, with hardware times.", valueName: "file")
    )
    var capture: String?

    @Flag(help: "Print the final counters as one JSON document.")
    var json = false

    func run() throws {
        let signals = StopSignals()
        let run = I225Run(wireTAP: wire.name, netdevTAP: netdev.name, capturePath: capture)
        let summary: I225Run.Summary
        do {
            summary = try run.run(
                // Not `print`: whoever waits for the word reads a pipe, which standard output buffers.
                onReady: { FileHandle.standardOutput.write(Data("ready\n".utf8)) },
                onEvent: { FileHandle.standardError.write(Data("\($0)\n".utf8)) },
                shouldStop: { signals.hasCome }
            )
        } catch let error as CannotRun {
            FileHandle.standardError.write(Data("doorbell run: \(error)\n".utf8))
            throw ExitCode(77)
        }
        print(json ? try summary.json() : summary.text)
    }
}

/// `tap:NAME`.
struct TAPArgument: ExpressibleByArgument {
    let name: String

    init?(argument: String) {
        guard argument.hasPrefix("tap:"), argument.count > 4 else { return nil }
        name = String(argument.dropFirst(4))
    }
}
