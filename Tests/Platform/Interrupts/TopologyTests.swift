// What is read from sysfs, and how far CPUs are from a node.

import Foundation
import Interrupts
import Testing

/// A machine's sysfs in a temporary folder.
private final class Files {
    let root = NSTemporaryDirectory() + "doorbell-topology-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ path: String, _ text: String) throws {
        let file = "\(root)/\(path)"
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try (text + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    func writeCPUs(online: String, siblings: [Int: String]) throws {
        try write("devices/system/cpu/online", online)
        for (cpu, list) in siblings {
            try write("devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list", list)
        }
    }

    func writeNode(_ number: Int, cpus: String, distances: String) throws {
        try write("devices/system/node/node\(number)/cpulist", cpus)
        try write("devices/system/node/node\(number)/distance", distances)
    }
}

@Suite struct TopologyTests {
    @Test func readsNodesCoresAndCPUs() throws {
        let files = Files()
        try files.writeCPUs(
            online: "0-7",
            siblings: [0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3", 4: "4-5", 5: "4-5", 6: "6-7", 7: "6-7"]
        )
        try files.write("devices/system/node/online", "0-1")
        try files.writeNode(0, cpus: "0-3", distances: "10 21")
        try files.writeNode(1, cpus: "4-7", distances: "21 10")
        let topology = try Topology.read(sysfs: files.root)
        #expect(topology == Topology([[[0, 1], [2, 3]], [[4, 5], [6, 7]]], distances: [[10, 21], [21, 10]]))
        #expect(topology.hops(from: 1) == [[4, 5, 6, 7], [0, 1, 2, 3]])
        #expect(topology.siblingGroup(of: 6) == [6, 7])
    }

    /// CPU 3 went off line, CPU 2's core is not told, node 1 has memory only; node numbers have a hole.
    @Test func readsAMachineThatLacksThings() throws {
        let files = Files()
        try files.writeCPUs(online: "0-2", siblings: [0: "0-1", 1: "0-1"])
        try files.write("devices/system/node/online", "0,2")
        try files.writeNode(0, cpus: "0-2", distances: "10 40")
        try files.writeNode(2, cpus: "", distances: "40 10")
        let topology = try Topology.read(sysfs: files.root)
        #expect(topology.nodes.map(\.number) == [0, 2])
        #expect(topology.siblingGroup(of: 2) == [2])
        #expect(topology.hops(from: 0) == [[0, 1, 2]])
        #expect(topology.hops(from: 2).isEmpty, "no CPU is on the node: the kernel gives it no hop")
        #expect(topology.nearestCPU(to: 2) == 0)
        #expect(topology.hops(from: 1).isEmpty, "there is no node 1")
    }

    @Test func readsAKernelWithoutNodes() throws {
        let files = Files()
        try files.writeCPUs(online: "0-1", siblings: [0: "0", 1: "1"])
        let topology = try Topology.read(sysfs: files.root)
        #expect(topology.nodes.isEmpty)
        #expect(topology.hops(from: nil) == [[0, 1]])
    }

    @Test(
        arguments: [
            ("devices/system/cpu/online", "nonsense"), ("devices/system/cpu/online", ""),
            ("devices/system/node/online", "0-"), ("devices/system/node/node0/cpulist", "x"),
            ("devices/system/node/node0/distance", "10 20 30"), ("devices/system/node/node1/distance", "10 far"),
            ("devices/system/node/node1/distance", ""),
        ]
    )
    func saysWhichFileIsNotAsExpected(_ path: String, text: String) throws {
        let files = Files()
        try files.writeCPUs(online: "0-1", siblings: [:])
        try files.write("devices/system/node/online", "0-1")
        try files.writeNode(0, cpus: "0", distances: "10 20")
        try files.writeNode(1, cpus: "1", distances: "20 10")
        _ = try Topology.read(sysfs: files.root)
        try files.write(path, text)
        let error = try #require(throws: TopologyUnreadable.self) { _ = try Topology.read(sysfs: files.root) }
        #expect(error.path == "\(files.root)/\(path)")
    }

    @Test func saysThatThereIsNoSysfs() {
        #expect(throws: TopologyUnreadable.self) { _ = try Topology.read(sysfs: "/nonexistent") }
    }

    @Test func readsThisMachine() throws {
        let topology = try Topology.read()
        #expect(!topology.online.isEmpty)
        for cpu in topology.online.numbers { #expect(topology.siblingGroup(of: cpu).contains(cpu)) }
    }

    @Test func readsWhereAFunctionIs() throws {
        let files = Files()
        try files.write("bus/pci/devices/0000:00:02.0/numa_node", "1")
        try files.write("bus/pci/devices/0000:00:03.0/numa_node", "-1")
        #expect(Topology.node(ofFunction: "0000:00:02.0", sysfs: files.root) == 1)
        #expect(Topology.node(ofFunction: "0000:00:03.0", sysfs: files.root) == nil)
        #expect(Topology.node(ofFunction: "0000:00:04.0", sysfs: files.root) == nil)
    }

    @Test func nodesOfEqualDistanceAreOneHop() {
        let topology = Topology(
            [[[0]], [[1]], [[2]], [[3]]],
            distances: [[10, 20, 15, 20], [20, 10, 20, 15], [15, 20, 10, 20], [20, 15, 20, 10]]
        )
        #expect(topology.hops(from: 0) == [[0], [2], [1, 3]])
        #expect(topology.hops(from: 3) == [[3], [1], [0, 2]])
        #expect(topology.hops(from: nil) == [[0, 1, 2, 3]])
    }

    /// The first online CPU of the nearest node that has one.
    @Test func findsTheNearestCPUOfANodeWithoutCPUs() {
        let topology = Topology(
            [[], [[2, 3]], [[0, 1]]],
            distances: [[10, 30, 20], [30, 10, 20], [20, 20, 10]]
        )
        #expect(topology.nearestCPU(to: 0) == 0)
        #expect(topology.nearestCPU(to: 1) == 2)
        #expect(topology.nearestCPU(to: nil) == 0)
        #expect(topology.nearestCPU(to: 9) == 0)
        #expect(Topology([]).nearestCPU(to: nil) == nil)
    }
}
