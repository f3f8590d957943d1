// `doorbell serve`: virtual devices for virtual machines.

import ArgumentParser
import Doorbell
import Foundation

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves virtual devices to QEMU, or to any vfio-user client.",
        subcommands: [ServeI225.self]
    )
}

struct ServeI225: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "i225",
        abstract: "Serves virtual Intel I225 cards, one per socket.",
        discussion: """
            Prints what to type for QEMU, then "ready", and runs in the foreground until SIGTERM or SIGINT. SIGUSR1 \
            pulls the cables of all cards, and plugs them again.
            Two ends (cards, wires) are a cable; more meet in a learning switch; a card alone has no cable. TAP devices \
            that do not exist are made, and go with the command; they need CAP_NET_ADMIN.
              doorbell serve i225 --socket card.sock --wire tap:dbw
              doorbell serve i225 --socket a.sock --socket b.sock
            """
    )

    @Option(help: ArgumentHelp("Make a Unix socket here, for one card. May be repeated.", valueName: "path"))
    var socket: [String] = []

    @Option(
        help: ArgumentHelp(
            "Serve one card on this listening socket, which was open at the start. May be repeated.",
            valueName: "number"
        )
    )
    var fd: [Int32] = []

    @Option(
        help: ArgumentHelp(
            "Where frames go: tap:NAME, tap:NAME,trains (TCP segments together) or loopback. May be repeated.",
            valueName: "wire"
        )
    )
    var wire: [WireArgument] = []

    @Option(help: ArgumentHelp("The first card's address; the others count up from it.", valueName: "address"))
    var mac: String?

    @Option(
        help: ArgumentHelp(
            "Lose a transmit stamp, or let it come so many milliseconds late: 0=lost, 1=16000. May be repeated.",
            valueName: "number=fault"
        )
    )
    var stampFault: [StampFaultArgument] = []

    @Flag(help: "Keep a card's state for a client that comes back, instead of resetting it.")
    var reconnect = false

    @Flag(help: "Print the final counters as one JSON document.")
    var json = false

    private var serve: I225Serve {
        var serve = I225Serve(
            listeners: socket.map { .path($0) } + fd.map { .descriptor($0) },
            wires: wire.map { $0.end }
        )
        serve.keepsState = reconnect
        serve.stampFaults = stampFault.map { $0.rule }
        if let address = mac.flatMap({ StationAddress($0) }) { serve.firstAddress = address }
        return serve
    }

    func validate() throws {
        guard !socket.isEmpty || !fd.isEmpty else { throw ValidationError("a card needs a --socket or an --fd") }
        if let mac, StationAddress(mac) == nil {
            throw ValidationError("--mac takes a station's address like 02:1b:21:02:25:00, not \"\(mac)\"")
        }
    }

    func run() throws {
        let signals = StopSignals()
        let cable = CableSignal()
        let summary: I225Serve.Summary
        do {
            summary = try serve.run(
                // Not `print`: whoever waits for the word reads a pipe, which standard output buffers.
                onReady: { command in
                    let lines = (command.map { [$0.text] } ?? []) + ["ready", ""]
                    FileHandle.standardOutput.write(Data(lines.joined(separator: "\n").utf8))
                },
                onEvent: { FileHandle.standardError.write(Data("\($0)\n".utf8)) },
                cableToggles: { cable.count },
                shouldStop: { signals.hasCome }
            )
        } catch let error as CannotRun {
            FileHandle.standardError.write(Data("doorbell serve: \(error)\n".utf8))
            throw ExitCode(77)
        }
        print(json ? try summary.json() : summary.text)
    }
}

/// `tap:NAME` or `loopback`.
struct WireArgument: ExpressibleByArgument {
    let end: FarEnd

    init?(argument: String) {
        guard let end = FarEnd(argument) else { return nil }
        self.end = end
    }
}

/// `NUMBER=lost` or `NUMBER=MILLISECONDS`.
struct StampFaultArgument: ExpressibleByArgument {
    let rule: StampFaultRule

    init?(argument: String) {
        guard let rule = StampFaultRule(argument) else { return nil }
        self.rule = rule
    }
}
