// Inputs to begin with, made here so that none is kept as a file: each does one thing well, which the fuzzer then spoils.

enum Seeds {
    /// Numbers of `Scenario.Operation`, in its order.
    private enum Step: UInt8 {
        case establish, destroy, window, request, bytes, work, buffer, start, doorbell, shortDoorbell, moderation
        case send, receive, arm, frame, takeFrames, poll, settle, wait, map, unmap, bus, reset, store, access, event
        case spoil
    }

    /// Each with shared and with remote memory, on a virtual and on a physical function.
    static func all() -> [[UInt8]] {
        func one(_ step: Step, _ rest: [UInt8] = []) -> [UInt8] { [step.rawValue] + rest }
        let channel = one(.establish, [0])
        let port = channel + one(.start, [0])
        let buffer = one(.receive, [3, 5, 20, 0, 0, 1, 0])
        let frame = one(.frame, [1, 4, 0x88, 0xB5, 1, 2, 0])
        let sent = one(.send, [1, 1, 1, 3, 0, 5, 16, 0, 0, 0, 0])
        let inputs = [
            channel + one(.destroy) + channel,
            channel + (0..<35).flatMap { one(.request, [0, $0, 1, 1, 0, 0, 2, 1, 6, 3, 0, 6, 1, 0, 0]) },
            one(.window, [0, 0, 0, 0, 1]) + one(.window, [7, 0, 0, 0, 1]) + channel,
            port + sent + one(.settle) + one(.takeFrames),
            port + buffer + one(.arm, [1, 64]) + frame + one(.settle) + one(.arm, [1, 65]),
            port + one(.moderation, [0, 0, 0, 1, 9, 1, 4]) + buffer + frame + one(.poll) + one(.wait, [20])
                + one(.poll),
            port + sent + one(.poll) + one(.unmap, [7]) + one(.settle) + one(.map, [7]) + sent + one(.settle),
            port + sent + one(.spoil, [2]) + one(.settle) + one(.spoil, [0]) + sent + one(.settle),
            channel + one(.work, [2, 2, 4, 0, 0, 1]) + one(.buffer, [3, 2, 5, 0, 0, 1]) + one(.settle),
            port + one(.bus, [1]) + sent + one(.bus, [0]) + one(.settle) + one(.reset) + one(.bus, [0]) + channel,
            port + one(.event, [0, 0]) + one(.event, [0, 1]) + one(.event, [1]) + one(.doorbell, [4, 0, 0, 1, 8, 1]),
            port + one(.shortDoorbell, [0, 0, 0, 32, 0]) + one(.access, [2, 0, 2, 4, 0]) + one(.settle),
        ]
        return [0, 1, 2, 5].flatMap { (kind: UInt8) in inputs.map { [kind] + $0 } }
    }
}
