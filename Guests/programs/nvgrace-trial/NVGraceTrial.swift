// One table of VFIO calls, for Linux's nvgrace driver in a guest and for ours on the host: region information, reads,
// writes, mappings, configuration space, reset. Prints a line per row, the row's name, a tab and what came, so that two
// runs can be compared line by line. And a BAR as a guest's programs map it, for scripts.
//
// Exit: 0 the table was run to its end, whatever came; 1 it could not be, or a BAR has something else; 64 usage.

import Glibc
import GraceHopperWire
import LinuxVFIO

/// Why the table could not be run.
struct TrialError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

@main
struct NVGraceTrial {
    private static let usage = """
        usage: nvgrace-trial PART ADDRESS [SECTION]...          a function that a VFIO driver of the kernel has
               nvgrace-trial PART BASE SIZE [SECTION]...        our driver on our model, with that memory
               PART: its PCI device id, which says which regions there are: 2342, 2941, …
        \(BARCommand.usage)
        """

    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            if words.first == "--bar" {
                guard let isRight = try BARCommand.run(Array(words.dropFirst())) else { refuse() }
                exit(isRight ? 0 : 1)
            }
            guard words.count >= 2, let part = UInt16(words[0], radix: 16).flatMap(GraceHopperPart.of) else { refuse() }
            let regions = part.needsNoReserve ? [4] : [2, 4]
            if PCIAddress(words[1]) != nil {
                var trial = try Trial(try LinuxDeviceFile(words[1]), regions: regions)
                trial.run(Array(words.dropFirst(2)))
            } else {
                let numbers = words.dropFirst().prefix(2).compactMap(BARCommand.number)
                guard numbers.count == 2 else { refuse() }
                let file = try InProcessDeviceFile(part: part, base: numbers[0], byteCount: numbers[1])
                var trial = try Trial(file, regions: regions)
                trial.run(Array(words.dropFirst(3)))
            }
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }

    private static func refuse() -> Never {
        print(usage)
        exit(64)
    }
}
