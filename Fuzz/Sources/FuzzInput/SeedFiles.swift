// Inputs to begin with, as libFuzzer reads them: a folder of files.

import Glibc

/// Writes each seed to a file of its own; whether that worked.
public func writeSeeds(_ seeds: [[UInt8]], to folder: String) -> Bool {
    for (index, seed) in seeds.enumerated() {
        // SAFETY: a string and an array for the time of the calls.
        let file = unsafe open("\(folder)/seed-\(index)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { return false }
        let written = unsafe seed.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        close(file)
        guard written == seed.count else { return false }
    }
    return true
}
