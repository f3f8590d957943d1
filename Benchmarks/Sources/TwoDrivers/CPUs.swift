import Foundation

/// The last two CPUs that this process may use: interrupts and everything else like the first ones.
func lastTwoCPUs() -> (Int32, Int32)? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") })
    else { return nil }
    var cpus: [Int32] = []
    for range in line.drop(while: { !$0.isNumber }).split(separator: ",") {
        let ends = range.split(separator: "-").compactMap { Int32($0) }
        guard let first = ends.first, let last = ends.last else { return nil }
        cpus += first...last
    }
    return cpus.count < 2 ? nil : (cpus[cpus.count - 2], cpus[cpus.count - 1])
}
