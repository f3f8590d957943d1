// The program of the story: it fills frames, submits them, polls the driver's queue and times what comes back. One thread
// does what an application on AF_XDP and the kernel's driver would do on one core.

import Backing
import Clock
import I225Driver
import I225Model
import Leases
import Memory
import XSK

/// What one run gave.
struct StampResult {
    let ratio: StampRatio
    var elapsedNanoseconds: UInt64 = 0
    var completed = 0
    var requested = 0
    var skipped = 0
    var timedOut = 0
    var otherwise = 0
    /// Frame number and stamp, for every frame that got one.
    var stamps: [(number: UInt64, nanoseconds: UInt64, completedAt: UInt64)] = []
    var plain = LatencyRecorder()
    var stamped = LatencyRecorder()

    /// What did not hold. Call it where the model may be looked at.
    func problems(sink: FrameSink, model: I225Model, frames: Int) -> [String] {
        var problems: [String] = []
        if completed != frames { problems.append("\(completed) of \(frames) buffers came back") }
        if sink.received != frames { problems.append("\(sink.received) of \(frames) frames reached the far end") }
        if sink.outOfOrder > 0 { problems.append("\(sink.outOfOrder) frames out of order") }
        if sink.tooShort > 0 { problems.append("\(sink.tooShort) frames cut short") }
        if stamps.count + skipped + timedOut + otherwise != requested {
            problems.append("\(requested) requests, but \(stamps.count + skipped + timedOut + otherwise) answers")
        }
        if otherwise > 0 { problems.append("\(otherwise) requests ended for no good reason") }
        if timedOut > 0 { problems.append("\(timedOut) stamps timed out on a healthy card") }
        let wrong = stamps.count { stamp in
            guard let wireTime = sink.wireTime(of: stamp.number) else { return true }
            return model.deviceTime(atHostTime: wireTime) != stamp.nanoseconds
        }
        if wrong > 0 { problems.append("\(wrong) stamps differ from the model's clock") }
        return problems
    }

    /// The figures. The delay from stamp to completion is taken on the card's clock.
    func report(_ card: VirtualI225) -> StampRun {
        var delay = LatencyRecorder()
        let arrivals = card.onModelThread { stamps.map { card.model.deviceTime(atHostTime: $0.completedAt) } }
        for (stamp, arrival) in zip(stamps, arrivals) { delay.record(arrival &- stamp.nanoseconds) }
        return StampRun(
            ratio: ratio.rawValue,
            framesPerSecond: Double(completed) * 1e9 / Double(max(elapsedNanoseconds, 1)),
            requested: requested,
            stamped: stamps.count,
            skipped: skipped,
            timedOut: timedOut,
            plainCompletion: plain.latency,
            stampedCompletion: stamped.latency,
            hardwareToCompletion: delay.latency
        )
    }
}

/// The sending program and its book-keeping.
struct StampTraffic: ~Copyable {
    static let chunkBytes = 4096
    static let chunkCount = 1024
    /// Metadata, with Doorbell's status word, before each frame.
    private static let metadataBytes = 32

    private var program: XSKProgram
    /// Chunks that are the program's, as a stack.
    private var free: [UInt64]
    /// By chunk: the frame in it, and when it was submitted.
    private var numbers: [UInt64]
    private var submittedAt: [UInt64]

    static func makeSocket(census: Census) throws -> XSKSocket {
        let byteCount = chunkBytes * chunkCount
        let umem = try UMEM(
            memory: SharedMemory(byteCount: byteCount, name: "doorbell-umem"),
            UMEMRegistration(
                byteCount: UInt64(byteCount),
                chunkSize: UInt32(chunkBytes),
                flags: .transmitMetadataLength,
                transmitMetadataLength: UInt32(metadataBytes)
            )
        )
        return try XSKSocket(umem: umem, rings: XSKRingSizes(), census: census)
    }

    init(program: consuming XSKProgram) {
        free = (0..<Self.chunkCount).map { UInt64($0 * Self.chunkBytes + Self.metadataBytes) }
        numbers = [UInt64](repeating: 0, count: Self.chunkCount)
        submittedAt = [UInt64](repeating: 0, count: Self.chunkCount)
        let template = NumberedFrame.template
        for address in free {
            // SAFETY: bytes have no padding.
            _ = unsafe program.umem.write(template.span.bytes, at: address)
        }
        self.program = program
    }

    mutating func run<Backing: PCIeBacking>(
        _ ratio: StampRatio,
        frames: Int,
        through queue: inout XSKQueue<Backing>,
        sink: FrameSink,
        progress: (Double) -> Void
    ) -> StampResult {
        var result = StampResult(ratio: ratio)
        var next: UInt64 = 0
        var nextReport = frames / 20
        let start = DeviceClock.monotonic.now
        // A stamp that never comes ends by its deadline; a frame that never comes back ends the run here.
        var lastProgress = start
        while result.completed < frames {
            submit(ratio, &next, of: UInt64(frames), &result)
            _ = queue.poll()
            if reap(&result) {
                lastProgress = DeviceClock.monotonic.now
            } else if DeviceClock.monotonic.now &- lastProgress > 5_000_000_000 {
                break
            }
            if result.completed >= nextReport {
                progress(Double(result.completed) / Double(frames))
                nextReport += frames / 20
            }
        }
        result.elapsedNanoseconds = DeviceClock.monotonic.now &- start
        // The last frames may still be on the wire.
        _ = DeviceClock.monotonic.waitUntil(timeoutNanoseconds: 1_000_000_000, intervalNanoseconds: 100_000) {
            sink.received >= frames
        }
        return result
    }

    private mutating func submit(
        _ ratio: StampRatio,
        _ next: inout UInt64,
        of frames: UInt64,
        _ result: inout StampResult
    ) {
        let room = min(program.transmitRoom(32), free.count, Int(frames - next))
        guard room > 0 else { return }
        let now = DeviceClock.monotonic.now
        for _ in 0..<room {
            let address = free.removeLast()
            let chunk = Int(address) / Self.chunkBytes
            numbers[chunk] = next
            submittedAt[chunk] = now
            program.umem.write(number: next, at: address + UInt64(NumberedFrame.numberOffset))
            let asks = ratio.asks(next) && program.requestStamp(at: address)
            if asks { result.requested += 1 }
            _ = program.put(
                XSKDescriptor(
                    address: address,
                    length: UInt32(NumberedFrame.byteCount),
                    options: asks ? .transmitMetadata : []
                )
            )
            next += 1
        }
        program.submit()
    }

    private mutating func reap(_ result: inout StampResult) -> Bool {
        var addresses = InlineArray<32, UInt64>(repeating: 0)
        let count = program.reapCompletions(&addresses, limit: 32)
        guard count > 0 else { return false }
        let now = DeviceClock.monotonic.now
        for index in 0..<count { settle(addresses[index], at: now, &result) }
        return true
    }

    private mutating func settle(_ address: UInt64, at now: UInt64, _ result: inout StampResult) {
        let chunk = Int(address) / Self.chunkBytes
        let number = numbers[chunk]
        let latency = now &- submittedAt[chunk]
        result.completed += 1
        free.append(address)
        guard result.ratio.asks(number) else { return result.plain.record(latency) }
        switch program.stamp(of: address) {
        case .stamped(let nanoseconds):
            result.stamps.append((number, nanoseconds, now))
            result.stamped.record(latency)
        case .noSlot:
            result.skipped += 1
            // It was sent like a plain frame, and came back like one.
            result.plain.record(latency)
        case .timedOut: result.timedOut += 1
        case .tornDown, .disabled, nil: result.otherwise += 1
        }
    }
}

extension UMEM {
    /// Puts a frame's number in place.
    fileprivate func write(number: UInt64, at address: UInt64) {
        var bytes = number
        unsafe withUnsafeBytes(of: &bytes) { _ = unsafe write($0.bytes, at: address) }
    }
}
