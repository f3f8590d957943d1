// Inputs to begin with, made here so that none is kept as a file: each does one thing well, which the fuzzer then spoils.

import FuzzInput

enum Seeds {
    /// Numbers of `Scenario.Operation`, in its order.
    private enum Step: UInt8 {
        case negotiate, map, unmap, deviceInfo, regionInfo, doorbells, interruptInfo, setInterrupts, read, write
        case writeMultiple, reset, unsupported, unknown, noise, reply, poll, wait, resize, block, store, leave, driver
        case frame, take, sleep
    }

    private static func all() -> [[UInt8]] {
        func one(_ step: Step, _ rest: [UInt8] = []) -> [UInt8] { [step.rawValue] + rest }
        // The file (shared), a file it is, flags 3; offset, address and size by their place in the list.
        func map(_ address: UInt8, file: UInt8 = 0, hasFile: UInt8 = 1) -> [UInt8] {
            one(.map, [file, hasFile, 0, 2, 0, 2, address, 2, 3])
        }
        let driver = one(.driver, [0, 3, 1, 16, 0])
        let frames = one(.frame, [60]) + [UInt8](repeating: 7, count: 60)
        let commands: [[UInt8]] = [
            one(.deviceInfo, [0]), one(.regionInfo, [1, 0, 0, 0]), one(.doorbells, [1, 0, 0]),
            one(.interruptInfo, [2, 0]),
            one(.setInterrupts, [1, 0, 1, 0, 0, 0]), one(.read, [0, 2, 2, 0, 0]),
            one(.write, [0, 2, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0]), one(.reset, [0]), one(.unsupported, [1, 0, 0]),
        ]
        return commands.map { [1] + $0 } + [
            [1] + commands.joined() + one(.poll, [3]) + one(.take),
            [1] + map(3) + driver + frames + one(.poll, [8]) + one(.take),
            [1] + map(3, hasFile: 0) + driver + one(.poll, [4]) + one(.reply, [3, 0]) + one(.reply, [3, 0]) + frames
                + one(.poll, [4]) + one(.reply, [3, 0]) + one(.reply, [3, 0]),
            [1] + map(3, file: 2) + driver + one(.resize, [0]) + frames + one(.poll, [8]) + map(6) + one(.poll, [1]),
            [1] + map(3) + one(.unmap, [0, 2, 3, 2, 3, 0]) + map(3) + one(.leave, [0, 1]) + map(3),
            [1] + one(.setInterrupts, [1, 0, 1, 0, 0, 0]) + one(.block) + one(.setInterrupts, [0, 2, 1, 0, 0, 0])
                + one(.poll, [1]) + one(.sleep),
            // Answers with descriptors, and nobody who wants them: it has ended a server once.
            [1] + one(.doorbells, [1, 0, 3]) + one(.regionInfo, [1, 0, 0, 3]) + one(.read, [0, 2, 2, 0, 0])
                + one(.poll, [1]),
            [0] + one(.noise, [16, 1, 0, 4, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) + one(.wait, [4])
                + one(.poll, [2]),
        ]
    }

    static func write(to folder: String) -> Bool { writeSeeds(all(), to: folder) }
}
