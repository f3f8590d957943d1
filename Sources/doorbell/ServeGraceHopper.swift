// `doorbell serve gracehopper`: GPUs with coherent memory for virtual machines.

import ArgumentParser
import Doorbell

struct ServeGraceHopper: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gracehopper",
        abstract: "Serves virtual Grace Hopper GPUs, one per socket.",
        discussion: """
            A guest gets what our variant driver makes of the GPU: the memory behind its coherent link as BARs that \
            the GPU does not have. With --bare it gets the GPU as its host has it, for a variant driver in the guest: \
            the memory is then a part of the guest's own, at the address that the properties tell. They are printed, \
            to be put into the guest's ACPI tables, and so is what its kernel must be told to keep off.
            Memory is sparse: 480G cost nothing until they are touched.
            Prints what to type for QEMU, then "ready", and runs in the foreground until SIGTERM or SIGINT.
              doorbell serve gracehopper --socket gpu.sock --memory 96G
              doorbell serve gracehopper --socket gpu.sock --memory 0x90000000 --bare
            """
    )

    @OptionGroup var options: ServeOptions
    @OptionGroup var gpu: GPUOptions

    @Flag(help: "Serve the GPU without our driver.")
    var bare = false

    @Option(help: ArgumentHelp("Physical address of the memory.", valueName: "address"))
    var base: MemorySize?

    @Flag(help: "Firmware says that the link to the memory is down: its size is 0.")
    var linkDown = false

    @Option(help: ArgumentHelp("A property that firmware does not give. May be repeated.", valueName: "property"))
    var absent: [GraceHopperCard.Property] = []

    @Option(
        help: ArgumentHelp(
            "The memory is ready so many seconds after power-on and after each reset, or never.",
            valueName: "seconds"
        )
    )
    var readinessAfter: GraceHopperCard.Readiness?

    private var card: GraceHopperCard {
        var card = gpu.card
        card.base = base?.byteCount
        card.isBare = bare
        card.isLinkDown = linkDown
        card.absentProperties = Set(absent)
        card.readiness = readinessAfter
        return card
    }

    func validate() throws {
        if let objection = card.objection { throw ValidationError(objection) }
    }

    func run() throws { try options.run(.graceHopper(card)) }
}

/// Which GPU.
struct GPUOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Its memory: 96G, 97871M, 0x90000000.", valueName: "size"))
    var memory = GraceHopperCard().memory

    @Option(help: ArgumentHelp("Its PCI device id: \(GraceHopperCard.parts).", valueName: "id"))
    var part = "2342"

    /// Healthy, with our driver.
    var card: GraceHopperCard {
        var card = GraceHopperCard()
        card.memory = memory
        if let part = GraceHopperCard.part(part) { card.part = part }
        return card
    }

    func validate() throws {
        guard GraceHopperCard.part(part) != nil else {
            throw ValidationError("there is no part \(part); there is \(GraceHopperCard.parts)")
        }
    }
}
