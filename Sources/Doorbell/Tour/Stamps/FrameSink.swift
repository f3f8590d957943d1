// The far end of the tour's wire: it takes every frame, checks that none is lost, doubled or out of order, and notes when
// those that were asked about were on the wire. It is the truth that stamps are held against.

import Clock
import Ethernet
import Synchronization

/// Counts and checks numbered frames. Owned by the model's thread; `received` may be read from any.
@safe final class FrameSink: Pollable, @unchecked Sendable {
    // SAFETY (Sendable): all but the atomics is the polling thread's; others look after the run, through `onModelThread`.
    private var port: WirePort
    private var expected: UInt64 = 0
    private(set) var outOfOrder = 0
    private(set) var tooShort = 0
    private let wireTimes: UnsafeMutablePointer<UInt64>
    private let capacity: Int
    private let receivedCount = Atomic<Int>(0)

    /// - Parameter capacity: frames per run, for which wire times are kept.
    init(port: consuming WirePort, capacity: Int) {
        self.port = port
        self.capacity = capacity
        // SAFETY: `capacity` words, freed with the sink; every index is checked against it.
        unsafe wireTimes = .allocate(capacity: capacity)
        unsafe wireTimes.initialize(repeating: 0, count: capacity)
    }

    deinit { unsafe wireTimes.deallocate() }

    var received: Int { receivedCount.load(ordering: .acquiring) }
    var wakeDescriptors: [Int32] { [port.receive.wakeDescriptor] }

    func setSleeping(_ sleeping: Bool) { port.receive.setSleeping(sleeping) }

    /// Begins a run: frames are numbered from 0.
    func restart() {
        expected = 0
        outOfOrder = 0
        tooShort = 0
        receivedCount.store(0, ordering: .releasing)
    }

    /// When frame `number` was on the wire, by the host's clock; nil if it did not come.
    func wireTime(of number: UInt64) -> UInt64? {
        guard number < expected, number < UInt64(capacity) else { return nil }
        return unsafe wireTimes[Int(number)]
    }

    func poll() -> Bool {
        var count = 0
        // Bounded, so that a fast sender leaves the loop's other work its turn.
        while count < 256, let frame = unsafe port.receive.peek() {
            unsafe note(frame)
            unsafe port.receive.consume(frame)
            count += 1
        }
        guard count > 0 else { return false }
        port.receive.release()
        receivedCount.store(Int(expected), ordering: .releasing)
        return true
    }

    @unsafe private func note(_ frame: FrameView) {
        guard unsafe frame.length >= NumberedFrame.byteCount else {
            tooShort += 1
            return
        }
        // SAFETY: the number lies inside the frame, whose length was checked.
        let number = unsafe frame.bytes.loadUnaligned(fromByteOffset: NumberedFrame.numberOffset, as: UInt64.self)
        if number != expected { outOfOrder += 1 }
        expected = number &+ 1
        if number < UInt64(capacity) { unsafe wireTimes[Int(number)] = frame.wireTime }
    }
}

/// The frames that the tour sends: 60 bytes (64 with CRC), an experimental EtherType, a number.
enum NumberedFrame {
    static let byteCount = 60
    static let numberOffset = 16

    /// The bytes of frame 0.
    static let template: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        bytes.replaceSubrange(0..<6, with: [0x02, 0, 0, 0, 0, 0x02])
        bytes.replaceSubrange(6..<12, with: [0x02, 0, 0, 0, 0, 0x01])
        // IEEE Std 802 local experimental EtherType 1.
        bytes.replaceSubrange(12..<14, with: [0x88, 0xB5])
        return bytes
    }()
}
