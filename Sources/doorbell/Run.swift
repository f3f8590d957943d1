// `doorbell run`: real interfaces through a virtual device.

import ArgumentParser
import Doorbell

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Joins real Linux interfaces through a device and its driver.",
        subcommands: [RunI225.self]
    )
}

struct RunI225: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "i225",
        abstract: "Makes an I225, virtual or real, a network interface of this host, by the igc driver.",
        discussion: """
            Prints "ready" when frames pass, and runs until SIGTERM or SIGINT. TAP devices that do not exist are made, \
            and go with the command; they need CAP_NET_ADMIN. Set the interfaces up yourself, in namespaces if you like:
              doorbell run i225 --wire tap:dbw --netdev tap:dbn --capture out.pcapng
              doorbell run i225 --backing vfio:0000:01:00.0 --netdev tap:dbn
              doorbell run i225 --backing vfio-user:i225.sock --netdev tap:dbn
            A real card must belong to vfio-pci already; one behind a socket is served by `doorbell serve` or \
            another vfio-user server. Where something is missing, the command says what and how to \
            get it, and ends with 77.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Where the card is: in this process, a function that vfio-pci has, or a vfio-user socket.",
            valueName: "place"
        )
    )
    var backing = BackingPlace.virtual

    @Option(help: ArgumentHelp("The far end of a virtual card's wire.", valueName: "tap:NAME"))
    var wire: TAPArgument?

    @Option(help: ArgumentHelp("The card's network interface on the host.", valueName: "tap:NAME"))
    var netdev: TAPArgument

    @Option(
        help: ArgumentHelp(
            "Write what passes a virtual card to this pcapng file, with hardware times.",
            valueName: "file"
        )
    )
    var capture: String?

    @Flag(help: "Print the final counters as one JSON document.")
    var json = false

    func validate() throws {
        if case .virtual = backing {
            guard wire != nil else { throw ValidationError("a virtual card needs a --wire") }
        } else {
            guard wire == nil, capture == nil else {
                throw ValidationError("--wire and --capture are a virtual card's")
            }
        }
    }

    private var card: I225Run.Card {
        switch backing {
        case .virtual: .virtual(wireTAP: wire?.name ?? "", capturePath: capture)
        case .vfio(let address): .vfio(address)
        case .vfioUser(let path): .vfioUser(path: path)
        }
    }

    func run() throws {
        let foreground = Foreground("run")
        let run = I225Run(card: card, netdevTAP: netdev.name)
        try foreground.run(json: json) {
            try run.run(
                onReady: { foreground.say("ready") },
                onEvent: { foreground.log($0) },
                shouldStop: { foreground.shouldStop }
            )
        }
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
