// The topology of this machine, as sysfs shows it (Documentation/admin-guide/cputopology.rst,
// Documentation/ABI/stable/sysfs-devices-node).

import Glibc

/// Why sysfs gave no topology.
public struct TopologyUnreadable: Error, Equatable, Sendable, CustomStringConvertible {
    public let path: String
    /// What was expected there.
    public let expectation: String

    public var description: String { "\(path): expected \(expectation)" }
}

extension Topology {
    /// Reads the CPUs that are online now, their cores and their nodes.
    ///
    /// A kernel without NUMA has no nodes; a CPU whose siblings are not told, or that went away meanwhile, is alone.
    ///
    /// - Parameter sysfs: where sysfs is.
    public static func read(sysfs: String = "/sys") throws(TopologyUnreadable) -> Topology {
        let system = "\(sysfs)/devices/system"
        let online = try cpus("\(system)/cpu/online")
        guard !online.isEmpty else {
            throw TopologyUnreadable(path: "\(system)/cpu/online", expectation: "a CPU")
        }
        var groups: [CPUSet] = []
        for cpu in online.numbers {
            // The file's name since Linux 5.3; the one before is an alias of it.
            let path = "\(system)/cpu/cpu\(cpu)/topology/thread_siblings_list"
            guard let group = firstLine(path).flatMap({ CPUSet(list: $0) }), group.contains(cpu) else { continue }
            groups.append(group)
        }
        guard firstLine("\(system)/node/online") != nil else {
            return Topology(online: online, siblingGroups: groups, nodes: [])
        }
        // Node numbers have the same form as CPU numbers.
        let numbers = try cpus("\(system)/node/online").numbers
        var nodes: [Node] = []
        for number in numbers {
            let folder = "\(system)/node/node\(number)"
            let row = (firstLine("\(folder)/distance") ?? "").split(separator: " ").map { Int($0) }
            guard row.count == numbers.count, !row.contains(nil) else {
                throw TopologyUnreadable(path: "\(folder)/distance", expectation: "\(numbers.count) numbers")
            }
            let distances = Dictionary(uniqueKeysWithValues: zip(numbers, row.compactMap { $0 }))
            nodes.append(Node(number, cpus: try cpus("\(folder)/cpulist"), distances: distances))
        }
        return Topology(online: online, siblingGroups: groups, nodes: nodes)
    }

    /// The node of the PCI function at `address`, e.g. `0000:00:02.0`; nil if it does not say (-1), or is not there.
    public static func node(ofFunction address: String, sysfs: String = "/sys") -> Int? {
        firstLine("\(sysfs)/bus/pci/devices/\(address)/numa_node").flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
    }

    private static func cpus(_ path: String) throws(TopologyUnreadable) -> CPUSet {
        guard let set = firstLine(path).flatMap({ CPUSet(list: $0) }) else {
            throw TopologyUnreadable(path: path, expectation: "a list like 0-3,8")
        }
        return set
    }

    /// The first line of a small file; nil if it cannot be read.
    private static func firstLine(_ path: String) -> String? {
        // SAFETY: the text of a string, for the time of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        // sysfs shows a page at most.
        var buffer = [UInt8](repeating: 0, count: 4096)
        // SAFETY: the address and the size of a local array.
        let length = unsafe Glibc.read(descriptor, &buffer, buffer.count)
        guard length >= 0 else { return nil }
        return String(decoding: buffer[..<length].prefix { $0 != 0x0A }, as: UTF8.self)
    }
}
