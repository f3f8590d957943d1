// dpdk-testpmd on the same two CPUs, through Peers/testpmd.

import Foundation
import Measure

/// A pair of DPDK drivers.
enum Peer: String, CaseIterable {
    case vhost, memif

    /// Frames of `bytes` per second from one testpmd to the other; ends the program where they cannot run.
    func framesPerSecond(bytes: Int, seconds: Int, cpus: (Int, Int)) -> Double {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = package.appendingPathComponent("Peers/testpmd")
        process.arguments = [
            "--peers", rawValue, "--bytes", "\(bytes)", "--seconds", "\(seconds)", "--cores", "\(cpus.0),\(cpus.1)",
        ]
        let output = Pipe()
        process.standardOutput = output
        do {
            try process.run()
        } catch {
            fail("Peers/testpmd: \(error)")
        }
        let line = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus != 77 else { skip("the peer cannot run here") }
        guard process.terminationStatus == 0, let result = try? JSONDecoder().decode(PeerResult.self, from: line),
            result.packetsPerSecond > 0
        else { fail("Peers/testpmd ended with \(process.terminationStatus)") }
        return result.packetsPerSecond
    }
}

private struct PeerResult: Decodable {
    let packetsPerSecond: Double
}
