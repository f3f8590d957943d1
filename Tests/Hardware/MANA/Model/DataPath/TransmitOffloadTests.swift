// Checksums and segments as Linux's driver asks for them (mana_start_xmit), against frames built one by one.

import Ethernet
import MANAModel
import MANAWire
import Registers
import TestFrames
import Testing

private let options: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]

/// `frame` as Linux hands it over with CHECKSUM_PARTIAL: the folded pseudo-header sum where the checksum belongs.
private func partial(_ frame: [UInt8], field: Int, withLength: Bool = true) -> [UInt8] {
    let headers = FrameHeaders(frame.raw)
    let start = headers.networkOffset + (headers.network == .ipv4 ? 12 : 8)
    let addresses = Array(frame[start..<start + (headers.network == .ipv4 ? 8 : 32)])
    var partial = frame
    let sum = pseudoHeaderSum(
        headers.transport == .tcp ? 6 : 17,
        addresses: addresses,
        byteCount: withLength ? frame.count - headers.transportOffset : 0
    )
    partial.set16(sum, at: headers.transportOffset + field)
    return partial
}

@Suite(.bothMemoryWays) struct TransmitOffloadTests {
    private func sent(_ frame: [UInt8], _ change: (inout BenchSend.Request) -> Void) throws -> [[UInt8]] {
        let rig = try PathRig()
        let queue = rig.makeSend()
        var request = queue.plain(frame)
        change(&request)
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(queue.take().map(\.head.type) == [.sent])
        return rig.sent()
    }

    @Test(arguments: [0, 1, 31, 1400])
    func checksumsOfTCP(count: Int) throws {
        let whole = ipv4Frame(6, tcp(options: options, payload(count)))
        let found = try sent(partial(whole, field: 16)) { request in
            request.request[.isIPv4] = true
            request.request[.tcpChecksum] = true
            request.place[.transportOffset] = 34
        }
        #expect(found == [whole])
        let whole6 = ipv6Frame(6, tcp(options: options, payload(count)))
        let found6 = try sent(partial(whole6, field: 16)) { request in
            request.request[.isIPv6] = true
            request.request[.tcpChecksum] = true
            request.place[.transportOffset] = 54
        }
        #expect(found6 == [whole6])
    }

    @Test(arguments: [0, 1, 31, 1400])
    func checksumsOfUDPWhoseHeaderNobodyPointsAt(count: Int) throws {
        let whole = ipv4Frame(17, udp(payload(count)))
        let found = try sent(partial(whole, field: 6)) { request in
            request.request[.isIPv4] = true
            request.request[.udpChecksum] = true
        }
        #expect(found == [whole])
        let whole6 = ipv6Frame(17, tags: [0x0064], udp(payload(count)))
        let found6 = try sent(partial(whole6, field: 6)) { request in
            request.request[.isIPv6] = true
            request.request[.udpChecksum] = true
        }
        #expect(found6 == [whole6])
    }

    @Test func theChecksumOfAnIPHeader() throws {
        let whole = ipv4Frame(47, options: [1, 1, 1, 0], payload(40))
        var without = whole
        without.set16(0, at: 24)
        let found = try sent(without) { request in
            request.request[.isIPv4] = true
            request.request[.ipChecksum] = true
        }
        #expect(found == [whole])
    }

    // MARK: Segments

    /// The frame that Linux hands over for segmentation, and the frames that must come of it.
    private func train(isIPv4: Bool, payload data: [UInt8], segment: Int) -> (prototype: [UInt8], frames: [[UInt8]]) {
        func frame(_ range: Range<Int>, flags: UInt8, index: Int) -> [UInt8] {
            let bytes = tcp(
                sequence: 0xFFFF_FF00 &+ UInt32(range.lowerBound),
                flags: flags,
                options: options,
                Array(data[range])
            )
            guard isIPv4 else { return ipv6Frame(6, bytes) }
            return ipv4Frame(6, identification: 0xFFFE &+ UInt16(index), bytes)
        }
        // FIN, PSH, ACK and CWR: the first frame keeps CWR, the last one PSH and FIN.
        var frames: [[UInt8]] = []
        for (index, start) in stride(from: 0, to: data.count, by: segment).enumerated() {
            let end = min(start + segment, data.count)
            var flags: UInt8 = 0x10
            if index == 0 { flags |= 0x80 }
            if end == data.count { flags |= 0x09 }
            frames.append(frame(start..<end, flags: flags, index: index))
        }
        var prototype = partial(frame(0..<data.count, flags: 0x99, index: 0), field: 16, withLength: false)
        if isIPv4 {
            prototype.set16(0, at: 16)
            prototype.set16(0, at: 24)
        } else {
            prototype.set16(0, at: 18)
        }
        return (prototype, frames)
    }

    private func request(
        _ rig: PathRig,
        _ queue: BenchSend,
        _ prototype: [UInt8],
        isIPv4: Bool,
        segment: Int
    ) -> BenchSend.Request {
        let headerBytes = (isIPv4 ? 34 : 54) + 20 + options.count
        var request = BenchSend.Request(request: queue.usual)
        request.pieces = [rig.buffer(Array(prototype[0..<headerBytes]))]
        for start in stride(from: headerBytes, to: prototype.count, by: 4096) {
            request.pieces.append(rig.buffer(Array(prototype[start..<min(start + 4096, prototype.count)])))
        }
        request.request[.isIPv4] = isIPv4
        request.request[.isIPv6] = !isIPv4
        request.request[.ipChecksum] = isIPv4
        request.request[.tcpChecksum] = true
        request.place[.transportOffset] = isIPv4 ? 34 : 54
        request.segmentBytes = UInt32(segment)
        return request
    }

    @Test(arguments: [true, false], [1, 1447, 1448, 1449, 30_000])
    func segmentsOfTCP(isIPv4: Bool, count: Int) throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let (prototype, frames) = train(isIPv4: isIPv4, payload: payload(count), segment: 1448)
        queue.post(request(rig, queue, prototype, isIPv4: isIPv4, segment: 1448))
        queue.ring()
        rig.poll()
        #expect(rig.sent() == frames)
        // One completion for the request, not for its frames.
        #expect(queue.take().map(\.head.type) == [.sent])
        #expect(rig.count(.transmitUnicastPackets) == UInt64(frames.count))
    }

    @Test func everySegmentGetsTheTag() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let (prototype, frames) = train(isIPv4: true, payload: payload(5000), segment: 1448)
        var tagged = request(rig, queue, prototype, isIPv4: true, segment: 1448)
        tagged.long = (TransmitTag(inserting: 0x0064), TransmitInner(raw: 0))
        queue.post(tagged)
        queue.ring()
        rig.poll()
        #expect(rig.sent() == frames.map { Array($0[0..<12]) + [0x81, 0, 0, 0x64] + Array($0[12...]) })
    }

    @Test func aFullWireAndASmallBudgetHoldATrainBetweenFrames() throws {
        for budget in [1, 3, 64] {
            let rig = try PathRig(wireCapacity: 64 * 1024) { $0.pollBudget = budget }
            let queue = rig.makeSend()
            let (prototype, frames) = train(isIPv4: true, payload: payload(60_000), segment: 1448)
            let train = request(rig, queue, prototype, isIPv4: true, segment: 1448)
            for _ in 0..<3 { queue.post(train) }
            queue.ring()
            #expect(rig.pollOnce())
            var sent = rig.sent()
            // One queue may not hold up the others with a train.
            #expect(sent.count <= budget, "budget \(budget)")
            for _ in 0..<10 {
                rig.poll()
                sent += rig.sent()
            }
            #expect(sent == frames + frames + frames, "budget \(budget)")
            #expect(queue.take().count == 3)
        }
    }

    @Test func theLongestTrainThatLinuxMakes() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let (prototype, frames) = train(isIPv4: true, payload: payload(65_000), segment: 8948)
        queue.post(request(rig, queue, prototype, isIPv4: true, segment: 8948))
        queue.ring()
        rig.poll()
        #expect(rig.sent() == frames)
    }
}
