// Where the threads of a measurement run.

import CLinux
import Foundation

/// The last two CPUs that this process may use: interrupts and everything else like the first ones.
public func lastTwoCPUs() -> (Int, Int)? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") })
    else { return nil }
    var cpus: [Int] = []
    for range in line.drop(while: { !$0.isNumber }).split(separator: ",") {
        let ends = range.split(separator: "-").compactMap { Int($0) }
        guard let first = ends.first, let last = ends.last else { return nil }
        cpus += first...last
    }
    return cpus.count < 2 ? nil : (cpus[cpus.count - 2], cpus[cpus.count - 1])
}

/// Keeps the calling thread on one CPU; false where that is not allowed.
public func pinThread(to cpu: Int) -> Bool { clinux_pin_to_cpu(Int32(cpu)) == 0 }
