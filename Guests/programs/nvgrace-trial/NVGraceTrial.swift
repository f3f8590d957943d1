// One table of VFIO calls, for Linux's nvgrace driver in a guest and for ours on the host: region information, reads,
// writes, mappings, configuration space, reset. Prints a line per row, the row's name, a tab and what came, so that two
// runs can be compared line by line. And a BAR as a guest's programs map it, for scripts.
//
// Exit: 0 the table was run to its end, whatever came; 1 it could not be, or a BAR has something else; 64 usage.

import Glibc

/// Why the table could not be run.
struct TrialError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

@main
struct NVGraceTrial {
    private static let usage = """
        usage: nvgrace-trial ADDRESS [SECTION]...               a function that a VFIO driver of the kernel has
               nvgrace-trial --in-process BASE SIZE [SECTION]...  our driver on our model of that memory
        \(BARCommand.usage)
        """

    static func main() {
        let words = CommandLine.arguments.dropFirst()
        do {
            switch words.first {
            case "--bar":
                guard let isRight = try BARCommand.run(Array(words.dropFirst())) else { refuse() }
                exit(isRight ? 0 : 1)
            case "--in-process":
                let numbers = words.dropFirst().prefix(2).compactMap(BARCommand.number)
                guard numbers.count == 2 else { refuse() }
                var trial = try Trial(try InProcessDeviceFile(base: numbers[0], byteCount: numbers[1]))
                trial.run(Array(words.dropFirst(3)))
            case let address? where !address.hasPrefix("-"):
                var trial = try Trial(try LinuxDeviceFile(address))
                trial.run(Array(words.dropFirst()))
            default: refuse()
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
