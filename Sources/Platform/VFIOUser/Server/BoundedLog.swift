// The log of a server, whose lines a client causes: it must not be able to fill a disk, or to keep whoever writes the
// lines from anything else.

import Clock

/// Passes lines on, some at once and then one per second.
struct BoundedLog {
    private static let burst: UInt64 = 64
    private static let intervalNanoseconds: UInt64 = 1_000_000_000

    private let clock: DeviceClock
    private let write: (String) -> Void
    private var room = burst
    /// When `room` was last looked after.
    private var time: UInt64
    private var dropped: UInt64 = 0

    init(_ clock: DeviceClock, _ write: @escaping (String) -> Void) {
        self.clock = clock
        self.write = write
        time = clock.now
    }

    mutating func callAsFunction(_ line: @autoclosure () -> String) {
        let seconds = (clock.now &- time) / Self.intervalNanoseconds
        room = min(Self.burst, room + min(seconds, Self.burst))
        time &+= seconds * Self.intervalNanoseconds
        guard room > 0 else {
            dropped &+= 1
            return
        }
        room -= 1
        if dropped > 0 { write("(\(dropped) lines were not logged)") }
        dropped = 0
        write(line())
    }
}
