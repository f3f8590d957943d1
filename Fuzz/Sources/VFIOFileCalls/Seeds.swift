// Inputs to begin with, made here so that none is kept as a file: each does one thing well, which the fuzzer then spoils.

import FuzzInput

enum Seeds {
    /// Numbers of `Scenario.Operation`, in its order.
    private enum Step: UInt8 {
        case request, knownRequest, pread, pwrite, read, write, seek, map, vector, protect, restore
    }

    private static func all() -> [[UInt8]] {
        func one(_ step: Step, _ rest: [UInt8] = []) -> [UInt8] { [step.rawValue] + rest }
        // A known request by its place in the list, in the arena; argsz and index by their places.
        func request(_ kind: UInt8, size: UInt8, index: UInt8) -> [UInt8] {
            one(.knownRequest, [kind, 1, 0, 2, size, 0, 0, 0, 0, 0, 2, index, 0, 0, 0, 0, 0])
        }
        // Region and offset by their places in the lists, then how much, and where in the arena.
        func transfer(_ step: Step, region: UInt8, offset: UInt8, count: UInt8) -> [UInt8] {
            one(step, [2, region, 2, offset, 2, count, 1, 0])
        }
        let requests: [[UInt8]] = [
            request(0, size: 3, index: 0), request(1, size: 5, index: 2), request(1, size: 8, index: 4),
            request(2, size: 2, index: 2), request(4, size: 0, index: 0), request(8, size: 8, index: 0),
        ]
        var seeds = requests.map { [2] + $0 }
        for device: UInt8 in 0..<3 {
            for region: UInt8 in [0, 2, 4, 7] {
                for offset: UInt8 in [0, 4, 12, 14, 17] {
                    let write =
                        transfer(.pwrite, region: region, offset: offset, count: 6) + [8] + [1, 2, 3, 4, 5, 6, 7, 8]
                    seeds.append([device] + write + transfer(.pread, region: region, offset: offset, count: 6))
                }
            }
            seeds.append([device] + one(.map, [2, 2, 2, 4, 2, 0, 0, 0, 7]) + one(.map, [2, 3, 2, 2, 2, 0, 0, 0, 7]))
            seeds.append(
                [device] + one(.seek, [2, 4, 2, 0]) + one(.read, [2, 11, 1, 7]) + one(.write, [2, 11, 1, 7, 0])
            )
            seeds.append([device] + one(.vector, [2, 1]) + one(.protect, [0, 3, 1]) + one(.read, [2, 9, 1, 0]))
        }
        return seeds
    }

    static func write(to folder: String) -> Bool { writeSeeds(all(), to: folder) }
}
