// Coherent memory lent as BARs: bandwidth through a mapping of it, region accesses by message, the ones behind the memory's
// end, and what an untouched device of 480 GB takes. Two CPUs for the messages, both ends spinning; one for the rest. A round
// of each side in turns, so that a machine that changes its pace does it to all.
//
//   coherent-memory                 measures, prints the ratios, judges them; 77 where there are not two CPUs

import Foundation
import Leases
import Measure
import Memory
import VFIOUser
import VFIOVariant

@main
enum CoherentMemory {
    static let rounds = 51

    static func main() throws {
        guard CommandLine.arguments.count == 1 else { fail("usage: coherent-memory") }
        guard let cpus = lastTwoCPUs(), pinThread(to: cpus.0) else { skip("needs two CPUs") }
        var thresholds = Thresholds("coherent-memory")
        try reportUntouched(&thresholds)
        runInRealTime()
        print("client on CPU \(cpus.0), server on CPU \(cpus.1), medians of \(rounds) rounds")
        try reportTransfers(cpu: cpus.1, &thresholds)
        try reportMappings(cpu: cpus.1, &thresholds)
        try reportTail(&thresholds)
        thresholds.finish()
    }

    /// A device that nobody has touched, open and served.
    private static func reportUntouched(_ thresholds: inout Thresholds) throws {
        let before = residentMebibytesOfProcess()
        let machine = try Machine()
        let function = try ExportedFunction(machine.device, over: machine.model)
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(function, connection: try .duplicate(of: pair.second.raw))
        _ = server.poll()
        let mebibytes = machine.residentMebibytes() - before
        let verdict = thresholds.judge("untouched.mebibytes", mebibytes)
        print("an untouched device of 480 GB, served: \(decimal(mebibytes)) MiB resident: \(verdict)")
    }

    private static func reportTransfers(cpu: Int, _ thresholds: inout Thresholds) throws {
        let served = try Served(try Machine(), cpu: cpu)
        for transfer in Transfer.allCases {
            var floor = Samples()
            var own = Samples()
            for round in 0...rounds {
                // The first of a round changes, and one round before counts for nothing.
                let isFirst = round % 2 == 0
                let first = isFirst ? served.round(transfer) : Floor.round(transfer, cpu: cpu)
                let second = isFirst ? Floor.round(transfer, cpu: cpu) : served.round(transfer)
                guard round > 0 else { continue }
                own.add(isFirst ? first : second)
                floor.add(isFirst ? second : first)
            }
            let ratio = Samples.ratios(own, to: floor).median
            let verdict = thresholds.judge("server.\(transfer.rawValue)", ratio)
            print(
                "\(transfer.rawValue): floor \(decimal(floor.median, 0)) ns, our server \(decimal(own.median, 0)) ns,",
                "ratio \(decimal(ratio, 3)): \(verdict)"
            )
        }
    }

    private static func reportMappings(cpu: Int, _ thresholds: inout Thresholds) throws {
        // One device for the caller, one behind the socket: each is open for one user.
        let machine = try Machine()
        let served = try Served(try Machine(), cpu: cpu)
        let file = try VFIOFile(machine.device, census: machine.census)
        let memory = try MappedMemory(file, served.file)
        for stream in Stream.allCases {
            var samples: [Way: Samples] = [:]
            let ways = Way.allCases
            for round in 0...rounds {
                for turn in ways.indices {
                    let way = ways[(turn + round) % ways.count]
                    let bandwidth = memory.round(way, stream)
                    if round > 0 { samples[way, default: Samples()].add(bandwidth) }
                }
            }
            guard let plain = samples[.plain] else { continue }
            print("\(stream.rawValue), \(Way.plain.title): \(decimal(plain.median, 1)) GiB/s")
            for way in ways where way != .plain {
                guard let own = samples[way] else { continue }
                let ratio = Samples.ratios(own, to: plain).median
                let verdict = thresholds.judge("mapped.\(way.rawValue).\(stream.rawValue)", ratio)
                print(
                    "\(stream.rawValue), \(way.title): \(decimal(own.median, 1)) GiB/s,",
                    "ratio \(decimal(ratio, 3)): \(verdict)"
                )
            }
        }
    }

    /// A read behind the memory's end beside memset of the same buffer.
    private static func reportTail(_ thresholds: inout Thresholds) throws {
        let machine = try Machine()
        let file = try VFIOFile(machine.device, census: machine.census)
        let tail = Tail(machine.device)
        for (name, byteCount) in [("fill.64k", 1 << 16), ("fill.1m", 1 << 20), ("fill.64m", 64 << 20)] {
            var own = Samples()
            var floor = Samples()
            for round in 0...rounds {
                let filled = tail.read(byteCount)
                let set = tail.set(byteCount)
                guard round > 0 else { continue }
                own.add(filled)
                floor.add(set)
            }
            let ratio = Samples.ratios(own, to: floor).median
            print(
                "ones behind the memory, \(byteCount) bytes: \(decimal(own.median, 0)) ns,",
                "memset \(decimal(floor.median, 0)) ns, ratio \(decimal(ratio, 3)): \(thresholds.judge(name, ratio))"
            )
        }
        guard file.refusedCalls == 0 else { fail("coherent-memory: reads behind the memory were refused") }
    }
}
