// The program: it keeps the socket's Tx ring full, polls the driver and takes completions, and looks at the answer of
// every frame that asked.

import I225Driver
import Measure
import Memory
import XSK

/// What became of the frames of one run.
struct FloodResult {
    var completed = 0
    var stamped = 0
    /// Asked and told that there was no stamp register free.
    var withoutSlot = 0
    /// The stamp did not come by its deadline of 10 ms: on a busy machine the card's thread may be kept that long.
    var timedOut = 0
    var nanoseconds: UInt64 = 0

    var framesPerSecond: Double { Double(completed) * 1e9 / Double(nanoseconds) }
    var stampsPerSecond: Double { Double(stamped) * 1e9 / Double(nanoseconds) }
}

/// The program. It does the same for every frame, whatever the mix, but for the requests themselves.
struct Flood: ~Copyable {
    private var chunks = Chunks()
    private var number: UInt64 = 0
    private static let frameBytes: UInt32 = 64
    /// Behind the addresses and the type.
    private static let numberOffset = 16

    /// Sends for `seconds`, then waits until every frame is back.
    mutating func run(_ mix: Mix, _ rig: inout Rig, seconds: Double) -> FloodResult {
        var result = FloodResult()
        var untilNext = mix.period
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        var turns = 0
        var now = start
        while now < end {
            submit(mix.period, &untilNext, &rig.program)
            _ = rig.queue.poll()
            reap(&rig.program, &result)
            turns &+= 1
            if turns % 64 == 0 { now = monotonicNanoseconds() }
        }
        result.nanoseconds = now - start
        drain(&rig)
        return result
    }

    private mutating func drain(_ rig: inout Rig) {
        var rest = FloodResult()
        let deadline = monotonicNanoseconds() + 2_000_000_000
        while chunks.count < Rig.chunks {
            _ = rig.queue.poll()
            reap(&rig.program, &rest)
            if monotonicNanoseconds() > deadline { fail("\(Rig.chunks - chunks.count) frames did not come back") }
        }
    }

    private mutating func submit(_ period: Int, _ untilNext: inout Int, _ program: inout XSKProgram) {
        let count = min(program.transmitRoom(32), chunks.count)
        guard count > 0 else { return }
        let memory = unsafe program.umem.memory.base
        for _ in 0..<count {
            let address = chunks.pop()
            // Every frame is written, as a program's are: plain ones too come to the card's thread from this one's cache.
            // SAFETY: the free addresses are those of `Chunks`, 4064 bytes before the end of their chunk.
            unsafe memory.storeBytes(of: number, toByteOffset: Int(address) + Self.numberOffset, as: UInt64.self)
            number &+= 1
            untilNext &-= 1
            let asks = untilNext == 0
            if asks {
                untilNext = period
                guard program.requestStamp(at: address) else { fail("no room for a request") }
            }
            chunks.note(address, asked: asks)
            _ = program.put(
                XSKDescriptor(address: address, length: Self.frameBytes, options: asks ? .transmitMetadata : [])
            )
        }
        program.submit()
    }

    private mutating func reap(_ program: inout XSKProgram, _ result: inout FloodResult) {
        var addresses = InlineArray<32, UInt64>(repeating: 0)
        let count = program.reapCompletions(&addresses, limit: 32)
        for index in 0..<count {
            let address = addresses[index]
            chunks.push(address)
            guard chunks.hasAsked(address) else { continue }
            switch program.stamp(of: address) {
            case .stamped: result.stamped &+= 1
            case .noSlot: result.withoutSlot &+= 1
            case .timedOut: result.timedOut &+= 1
            case .tornDown, .disabled, nil: fail("a request ended without stamp and without good reason")
            }
        }
        result.completed &+= count
    }
}
