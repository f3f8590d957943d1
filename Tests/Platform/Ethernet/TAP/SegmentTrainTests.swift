// Which frames make one packet for a TAP device, and what that packet says: struct virtio_net_hdr in linux/virtio_net.h.

import Ethernet
import Glibc
import TestFrames
import Testing

@Suite struct SegmentTrainTests {
    /// What reached the device: the header and the frame of each write.
    private struct Write {
        var header: [UInt8]
        var frame: [UInt8]
    }

    /// Sends `frames` through a train as a wire does: what cannot be appended ends the train and is tried anew.
    private func writes(_ frames: [[UInt8]]) throws -> [Write] {
        var ends: [Int32] = [0, 0]
        let status = unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends)
        try #require(status == 0)
        let ours = ends[0]
        let device = ends[1]
        defer {
            close(ours)
            close(device)
        }
        var ring = FrameRing(capacity: 1 << 20)
        for frame in frames {
            // SAFETY: an array's bytes are initialised.
            let isSent = unsafe ring.producer.send(frame.span.bytes, wireTime: 0)
            try #require(isSent)
        }
        var train = SegmentTrain()
        var written: [Write] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        func take() {
            let isTaken = train.write(to: ours)
            let count = unsafe read(device, &bytes, bytes.count)
            #expect(isTaken)
            written.append(Write(header: Array(bytes[0..<10]), frame: Array(bytes[10..<max(10, count)])))
        }
        while let frame = unsafe ring.consumer.peek() {
            if unsafe !train.append(frame) {
                if !train.isEmpty {
                    take()
                    continue
                }
                let alone = unsafe [UInt8](UnsafeRawBufferPointer(start: frame.bytes, count: frame.length))
                written.append(Write(header: [], frame: alone))
            }
            unsafe ring.consumer.consume(frame)
        }
        if !train.isEmpty { take() }
        return written
    }

    /// Segments of one send with `bytes` of payload in all.
    private func segments(_ bytes: Int, size: Int = 1000, isIPv6: Bool = false, options: [UInt8] = []) -> [[UInt8]] {
        stride(from: 0, to: bytes, by: size).enumerated().map { index, offset in
            let payload = (offset..<min(offset + size, bytes)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let isLast = offset + size >= bytes
            let transport = tcp(
                sequence: 0xFFFF_FF00 &+ UInt32(offset),
                flags: isLast ? 0x18 : 0x10,
                options: options,
                payload
            )
            return isIPv6
                ? ipv6Frame(6, transport) : ipv4Frame(6, identification: 0xFFFE &+ UInt16(index), transport)
        }
    }

    @Test(arguments: [false, true], [[], [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]] as [[UInt8]])
    func aSendBecomesOnePacketThatSaysHowItWasCut(isIPv6: Bool, options: [UInt8]) throws {
        let frames = segments(4500, isIPv6: isIPv6, options: options)
        let written = try writes(frames)
        try #require(written.count == 1)
        let transportOffset = isIPv6 ? 54 : 34
        let headerBytes = transportOffset + 20 + options.count
        // NEEDS_CSUM; TCPV4 or TCPV6; header, segment, start and place of the checksum.
        let expected: [UInt8] =
            [1, isIPv6 ? 4 : 1] + little(headerBytes) + little(1000) + little(transportOffset) + little(16)
        #expect(written[0].header == expected)

        // The same send, not cut: only TCP's checksum is left to the device.
        var whole = segments(4500, size: 4500, isIPv6: isIPv6, options: options)[0]
        let addresses = Array(isIPv6 ? whole[22..<54] : whole[26..<34])
        let sum = pseudoHeaderSum(6, addresses: addresses, byteCount: whole.count - transportOffset)
        whole.set16(sum, at: transportOffset + 16)
        #expect(written[0].frame == whole)
    }

    @Test func aFrameAloneStaysAsItIs() throws {
        let frames = segments(800)
        let written = try writes(frames)
        #expect(written.map(\.frame) == frames)
        #expect(written.map(\.header) == [[UInt8](repeating: 0, count: 10)])
    }

    @Test func aShortSegmentOrPSHEndsTheTrain() throws {
        let first = segments(2500)
        var pushed = segments(2000)
        pushed[0] = first[0]
        #expect(try writes(first + pushed).map(\.frame.count) == [54 + 2500, 54 + 2000])
    }

    @Test func noPacketIsLongerThanItsLengthFieldSays() throws {
        let frames = segments(80_000, size: 8000)
        let written = try writes(frames)
        #expect(written.map(\.frame.count) == [54 + 64_000, 54 + 16_000])
    }

    @Test func noMoreThanABurstIsOneTrain() throws {
        #expect(try writes(segments(100 * 100, size: 100)).map(\.frame.count) == [54 + 6400, 54 + 3600])
    }

    /// How a second segment differs from one that would follow.
    enum Difference: CaseIterable {
        case sequence, acknowledgement, window, port, address, station, identification, timeToLive, options, flags
        case wrongTCPChecksum, wrongIPChecksum, tag, fragment, padding, otherProtocol, longer
    }

    @Test(arguments: Difference.allCases)
    func whatDoesNotFollowStaysApart(difference: Difference) throws {
        let frames = segments(2000)
        var second = frames[1]
        let payload = Array(second[54...])
        func sealed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var transport = Array(frames[1][34...])
            change(&transport)
            transport.set16(0, at: 16)
            return ipv4Frame(6, identification: 0xFFFF, transport)
        }
        switch difference {
        case .sequence: second = sealed { $0[7] ^= 1 }
        case .acknowledgement: second = sealed { $0[11] ^= 1 }
        case .window: second = sealed { $0[15] ^= 1 }
        case .port: second = sealed { $0[1] ^= 1 }
        case .flags: second = sealed { $0[13] |= 1 }
        case .address:
            second = ipv4Frame(
                6,
                from: [10, 0, 0, 9],
                identification: 0xFFFF,
                tcp(sequence: 0xFFFF_FF00 &+ 1000, payload)
            )
        case .station: second[5] ^= 1
        case .identification:
            second = ipv4Frame(6, identification: 9, tcp(sequence: 0xFFFF_FF00 &+ 1000, flags: 0x18, payload))
        case .timeToLive:
            second[22] -= 1
            second.set16(0, at: 24)
            second.set16(~referenceSum(Array(second[14..<34])), at: 24)
        case .options: second = segments(2000, options: [1, 1, 1, 1])[1]
        case .wrongTCPChecksum: second[50] ^= 1
        case .wrongIPChecksum: second[24] ^= 1
        case .tag:
            second = ipv4Frame(
                6,
                identification: 0xFFFF,
                tags: [5],
                tcp(sequence: 0xFFFF_FF00 &+ 1000, flags: 0x18, payload)
            )
        case .fragment:
            second = ipv4Frame(
                6,
                identification: 0xFFFF,
                fragment: 0x2000,
                tcp(sequence: 0xFFFF_FF00 &+ 1000, flags: 0x18, payload)
            )
        case .padding: second += [0, 0]
        case .otherProtocol: second = ipv4Frame(17, identification: 0xFFFF, udp(payload))
        case .longer:
            second = ipv4Frame(
                6,
                identification: 0xFFFF,
                tcp(sequence: 0xFFFF_FF00 &+ 1000, flags: 0x18, payload + [1])
            )
        }
        #expect(try writes([frames[0], second]).map(\.frame) == [frames[0], second])
    }

    /// A frame of a guest says what it likes: every byte of the headers changed, every length cut.
    @Test func spoiltFramesGoThroughAsTheyAre() throws {
        let frames = segments(2000)
        for index in 0..<54 {
            var spoilt = frames[1]
            spoilt[index] ^= 0xFF
            #expect(try writes([frames[0], spoilt]).map(\.frame) == [frames[0], spoilt], "byte \(index)")
        }
        for length in 14..<100 {
            let cut = Array(frames[0][0..<length])
            #expect(try writes([cut, cut]).map(\.frame) == [cut, cut], "\(length) bytes")
        }
    }

    private func little(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
}
