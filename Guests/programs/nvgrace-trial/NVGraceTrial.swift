// One table of VFIO calls, for Linux's nvgrace driver in a guest and for ours on the host: region information, reads,
// writes, mappings, configuration space, reset. Prints a line per row, the row's name, a tab and what came, so that two
// runs can be compared line by line.
//
// Exit: 0 the table was run to its end, whatever came; 1 it could not be; 64 usage.

import Glibc

/// Why the table could not be run.
struct TrialError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

@main
struct NVGraceTrial {
    private static let usage = """
        usage: nvgrace-trial ADDRESS                               a function that a VFIO driver of the kernel has
               nvgrace-trial --in-process PART BASE SIZE           our driver on our model, e.g. 2342 0x100000000 0x90000000
        """

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        do {
            if arguments.count == 1, let address = arguments.first, !address.hasPrefix("-") {
                var trial = try Trial(try LinuxDeviceFile(address))
                trial.run()
            } else {
                print(usage)
                exit(64)
            }
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }
}
