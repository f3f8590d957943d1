// The command: parse, call, print. What a command does is in the Doorbell library.

import ArgumentParser

@main
struct DoorbellCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doorbell",
        abstract: "Lends out pieces of PCIe devices, and has the virtual devices to lend from.",
        discussion: "Exit codes: 0 done, 1 failed or refused, 64 usage, 77 cannot run here.",
        version: "0.1.0",
        subcommands: [Tour.self, Stamp.self, Run.self, Serve.self, Inspect.self, Lspci.self, Spread.self]
    )
}
