// The short way in: frames to the station's own address that nothing has to be found out about, each into one buffer.
// Most frames of most receivers are of that kind, and a burst of them keeps all that it needs in registers.
// Source: as for ReceiveQueue.

import Ethernet
import I225Wire
import Memory
import Rings

extension ReceiveQueue {
    /// Takes frames off `wire` until one is not plain, or has no descriptor; how many.
    ///
    /// - Parameters:
    ///   - station: the address that all of them must have, first byte lowest.
    ///   - longest: bytes of the longest frame that is received, without CRC.
    ///   - findings: what the write-back of each says, but status and length.
    mutating func takePlain(
        from wire: inout FrameConsumer,
        to station: UInt64,
        longest: Int,
        findings: ReceiveWriteBack,
        budget: Int,
        tally: inout FrameTally
    ) -> Int {
        guard let ring, !putsStamps, let window = unsafe hardware.window else { return 0 }
        let longest = min(longest, bufferBytes)
        let template = findings.with(Self.whole, length: 0)
        let tail = self.tail
        var head = hardware.head
        var taken = 0
        while taken < budget, head != tail, let frame = unsafe wire.peek() {
            let length = unsafe frame.length
            guard length >= 14, length <= longest else { break }
            // SAFETY: the frame has 14 bytes; `head` is below the ring's count; the window checks the buffer.
            let destination = unsafe frame.bytes.loadUnaligned(as: UInt64.self)
            guard destination & 0xFFFF_FFFF_FFFF == station,
                let buffer = unsafe window.address(ring.loadLowUnchecked(head), length: length, .deviceWrites)
            else { break }
            unsafe buffer.copyMemory(from: frame.bytes, byteCount: length)
            let high = template.high | UInt64(truncatingIfNeeded: length) << 32
            unsafe ring.storeUnchecked(head, low: template.low, high: high)
            tally.add(length: length, destination: destination)
            unsafe wire.consume(frame)
            head = hardware.next(head)
            taken &+= 1
        }
        hardware.head = head
        return taken
    }
}
