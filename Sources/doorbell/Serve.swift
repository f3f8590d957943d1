// `doorbell serve`: virtual devices for virtual machines.

import ArgumentParser
import Doorbell

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves virtual devices to QEMU, or to any vfio-user client.",
        subcommands: [ServeI225.self, ServeMANA.self, ServeGraceHopper.self]
    )
}

/// What every kind of card takes.
struct ServeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Make a Unix socket here, for one card. May be repeated.", valueName: "path"))
    var socket: [String] = []

    @Option(
        help: ArgumentHelp(
            "Serve one card on this listening socket, which was open at the start. May be repeated.",
            valueName: "number"
        )
    )
    var fd: [Int32] = []

    @Flag(help: "Keep a card's state for a client that comes back, instead of resetting it.")
    var reconnect = false

    @Flag(
        help: """
            Log every vector that a client attaches, and what its driver asks of the card; for one without a wire what \
            the client maps, resets, and accesses in vain.
            """
    )
    var trace = false

    @Flag(help: "Print the final counters as one JSON document.")
    var json = false

    func validate() throws {
        guard !socket.isEmpty || !fd.isEmpty else { throw ValidationError("a card needs a --socket or an --fd") }
    }

    /// Serves cards of this kind until a signal comes.
    ///
    /// - Parameter network: what they are plugged into; nil: cards without wires.
    func run(_ kind: CardServe.Kind, _ network: NetworkOptions? = nil) throws {
        var serve = CardServe(kind, listeners: socket.map { .path($0) } + fd.map { .descriptor($0) })
        serve.wires = network?.wire ?? []
        serve.firstAddress = network?.mac.flatMap { StationAddress($0) }
        serve.keepsState = reconnect
        serve.isTraced = trace
        let foreground = Foreground("serve")
        let cable = CountedSignal.cable()
        let reset = CountedSignal.reset()
        let attendance = CardServe.Attendance(
            onReady: { command, notes in
                for note in notes { foreground.say(note) }
                if let command { foreground.say(command.text) }
                foreground.say("ready")
            },
            onEvent: { foreground.log($0) },
            cableToggles: { cable.count },
            resetRequests: { reset.count },
            shouldStop: { foreground.shouldStop }
        )
        try foreground.run(json: json) { try serve.run(attendance) }
    }
}

/// What every network card takes besides.
struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where frames go: tap:NAME, tap:NAME,trains (TCP segments together) or loopback. May be repeated.",
            valueName: "wire"
        )
    )
    var wire: [FarEnd] = []

    @Option(help: ArgumentHelp("The first card's address; the others count up from it.", valueName: "address"))
    var mac: String?

    func validate() throws {
        if let mac, StationAddress(mac) == nil {
            throw ValidationError("--mac takes a station's address like 02:1b:21:02:25:00, not \"\(mac)\"")
        }
    }

    /// What the help of every kind of network card says.
    static func discussion(of kind: String) -> String {
        """
        Prints what to type for QEMU, then "ready", and runs in the foreground until SIGTERM or SIGINT. SIGUSR1 \
        pulls the cables of all cards, and plugs them again; SIGUSR2 has cards that can do so ask their drivers for a \
        reset.
        Two ends (cards, wires) are a cable; more meet in a learning switch; a card alone has no cable. TAP devices \
        that do not exist are made, and go with the command; they need CAP_NET_ADMIN.
          doorbell serve \(kind) --socket card.sock --wire tap:dbw
          doorbell serve \(kind) --socket a.sock --socket b.sock
        """
    }
}

struct ServeI225: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "i225",
        abstract: "Serves virtual Intel I225 cards, one per socket.",
        discussion: NetworkOptions.discussion(of: "i225")
    )

    @OptionGroup var options: ServeOptions
    @OptionGroup var network: NetworkOptions

    @Option(
        help: ArgumentHelp(
            "Lose a transmit stamp, or let it come so many milliseconds late: 0=lost, 1=16000. May be repeated.",
            valueName: "number=fault"
        )
    )
    var stampFault: [StampFaultRule] = []

    func run() throws {
        var card = I225Card()
        card.stampFaults = stampFault
        try options.run(.i225(card), network)
    }
}

struct ServeMANA: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mana",
        abstract: "Serves virtual Microsoft Azure Network Adapters, one per socket.",
        discussion: NetworkOptions.discussion(of: "mana")
    )

    @OptionGroup var options: ServeOptions
    @OptionGroup var network: NetworkOptions

    @Option(help: ArgumentHelp("Which of the adapter's functions it is.", valueName: "function"))
    var function = MANACard.Function.virtual

    @Option(help: "The vectors that it says may be used.")
    var vectors: UInt32?

    @Option(help: ArgumentHelp("The vectors that its MSI-X table has.", valueName: "vectors"))
    var table: Int?

    @Option(help: "The queues of a port and direction.")
    var queues: Int?

    @Option(help: "The ports of each card; the first one has the wire.")
    var ports: Int?

    private var card: MANACard {
        var card = MANACard()
        card.function = function
        card.vectors = vectors
        card.tableVectors = table
        card.queues = queues
        card.ports = ports
        return card
    }

    func validate() throws {
        if let objection = card.objection { throw ValidationError(objection) }
    }

    func run() throws { try options.run(.mana(card), network) }
}
