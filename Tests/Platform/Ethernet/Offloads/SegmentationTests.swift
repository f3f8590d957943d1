// TCP segmentation, byte for byte against frames built one by one, and descriptors that claim what is not so.

import Ethernet
import Simulation
import TestFrames
import Testing

/// All segments of `frame`, in order.
private func segments(
    of frame: [UInt8],
    _ offload: TransmitOffload,
    limit: Int = maximumFrameBytes
) throws(OffloadError) -> [[UInt8]] {
    let segmentation = try Segmentation(offload, frameBytes: frame.count, limit: limit)
    return (0..<segmentation.segmentCount).map { segment($0, segmentation, of: frame) }
}

private func segment(_ index: Int, _ segmentation: Segmentation, of frame: [UInt8]) -> [UInt8] {
    var lent = LentBytes([UInt8](repeating: 0xEE, count: segmentation.segmentBytes(index)))
    lent.lend { bytes in segmentation.write(index, of: frame.raw, into: &bytes) }
    #expect(lent.guardsHold)
    return lent.bytes
}

private func refusal(_ offload: TransmitOffload, frameBytes: Int, limit: Int = maximumFrameBytes) -> OffloadError? {
    do {
        _ = try Segmentation(offload, frameBytes: frameBytes, limit: limit)
        return nil
    } catch {
        return error
    }
}

@Suite struct SegmentationTests {
    private static let identification: UInt16 = 0xFFFE
    private static let sequence: UInt32 = 0xFFFF_FF80

    private func frame(isIPv4: Bool, segment: Int, sequence: UInt32, flags: UInt8, _ payload: [UInt8]) -> [UInt8] {
        // Time stamps, as Linux has them in every segment.
        let options: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
        let transport = tcp(sequence: sequence, flags: flags, options: options, payload)
        return isIPv4
            ? ipv4Frame(6, identification: Self.identification &+ UInt16(segment), transport)
            : ipv6Frame(6, transport)
    }

    /// What a driver hands over (Linux `igc_tso`): lengths and header checksum zero, the pseudo-header's sum without
    /// length in the checksum of TCP.
    private func prototype(isIPv4: Bool, flags: UInt8 = 0x18, _ payload: [UInt8]) -> [UInt8] {
        var prototype = frame(isIPv4: isIPv4, segment: 0, sequence: Self.sequence, flags: flags, payload)
        let addresses = [UInt8](isIPv4 ? prototype[26..<34] : prototype[22..<54])
        prototype.set16(0, at: isIPv4 ? 16 : 18)
        if isIPv4 { prototype.set16(0, at: 24) }
        prototype.set16(pseudoHeaderSum(6, addresses: addresses, byteCount: 0), at: isIPv4 ? 50 : 70)
        return prototype
    }

    private func offload(isIPv4: Bool, maximumSegmentBytes: Int) -> TransmitOffload {
        TransmitOffload(
            macHeaderBytes: 14,
            networkHeaderBytes: isIPv4 ? 20 : 40,
            transportHeaderBytes: 32,
            isIPv4: isIPv4,
            transport: .tcp,
            fillsNetworkChecksum: isIPv4,
            fillsTransportChecksum: true,
            maximumSegmentBytes: maximumSegmentBytes
        )
    }

    @Test(arguments: [0, 1, 99, 100, 101, 199, 200, 201, 1_000], [true, false])
    func everySegmentIsTheFrameThatSoftwareWouldHaveSent(count: Int, isIPv4: Bool) throws {
        let data = payload(count)
        let all = try segments(
            of: prototype(isIPv4: isIPv4, data),
            offload(isIPv4: isIPv4, maximumSegmentBytes: 100)
        )
        #expect(all.count == max(1, (count + 99) / 100))
        for (index, segment) in all.enumerated() {
            let part = [UInt8](data[index * 100..<min(count, index * 100 + 100)])
            let expected = frame(
                isIPv4: isIPv4,
                segment: index,
                sequence: Self.sequence &+ UInt32(index * 100),
                // PSH goes out with the last one only.
                flags: index == all.count - 1 ? 0x18 : 0x10,
                part
            )
            #expect(segment == expected, "segment \(index)")
        }
    }

    @Test func aSendOf64KiBIntoFramesOfTheWire() throws {
        let all = try segments(
            of: prototype(isIPv4: true, payload(65_000)),
            offload(isIPv4: true, maximumSegmentBytes: 1_448)
        )
        #expect(all.count == 45)
        #expect(all.allSatisfy { $0.count <= 1_514 && FrameHeaders($0.raw).transport == .tcp })
        #expect(all.flatMap { $0.dropFirst(66) } == payload(65_000))
    }

    @Test func flagsThatBelongToOneSegment() throws {
        let all = try segments(
            of: prototype(isIPv4: true, flags: 0xFF, payload(250)),
            offload(isIPv4: true, maximumSegmentBytes: 100)
        )
        // FIN 01 and PSH 08 on the last, CWR 80 on the first.
        #expect(all.map { $0[47] } == [0xF6, 0x76, 0x7F])
    }

    @Test func aSingleSegmentKeepsAllFlags() throws {
        let all = try segments(
            of: prototype(isIPv4: true, flags: 0xFF, payload(100)),
            offload(isIPv4: true, maximumSegmentBytes: 100)
        )
        #expect(all.map { $0[47] } == [0xFF])
    }

    @Test func aTagInTheBufferIsPartOfTheMACHeader() throws {
        var tagged = prototype(isIPv4: true, payload(150))
        tagged.insert(contentsOf: [0x81, 0x00, 0x01, 0x23], at: 12)
        var wider = offload(isIPv4: true, maximumSegmentBytes: 100)
        wider.macHeaderBytes = 18
        let plain = try segments(
            of: prototype(isIPv4: true, payload(150)),
            offload(isIPv4: true, maximumSegmentBytes: 100)
        )
        for (segment, other) in zip(try segments(of: tagged, wider), plain) {
            #expect([UInt8](segment[..<12] + segment[16...]) == other)
        }
    }

    @Test func checksumsThatAreNotAskedForAreLeft() throws {
        var bare = offload(isIPv4: true, maximumSegmentBytes: 100)
        bare.fillsNetworkChecksum = false
        bare.fillsTransportChecksum = false
        let prototype = prototype(isIPv4: true, payload(150))
        for segment in try segments(of: prototype, bare) {
            #expect(segment.number16(at: 24) == 0)
            #expect(segment.number16(at: 50) == prototype.number16(at: 50))
        }
    }

    /// "GSO partial": IPLEN covers outer IPv4, UDP, VXLAN, inner Ethernet and inner IPv4, and the outer checksum field
    /// holds what takes all but the outer header out of the sum.
    @Test func aTunnelKeepsItsInnerHeadersAndGetsARightOuterOne() throws {
        let data = payload(200)
        let inner = ipv4Frame(6, from: [192, 168, 0, 1], to: [192, 168, 0, 2], tcp(payload(100)))
        let vxlan: [UInt8] = [0x08, 0, 0, 0, 0, 0, 42, 0]
        let outer = ipv4Frame(17, identification: 7, udp(to: 4_789, vxlan + inner))
        let innerTCP = 14 + 20 + 8 + 8 + 14 + 20
        var frame = [UInt8](outer[..<(innerTCP + 20)]) + data
        let pseudo = pseudoHeaderSum(6, addresses: [192, 168, 0, 1, 192, 168, 0, 2], byteCount: 0)
        frame.set16(pseudo, at: innerTCP + 16)
        frame.set16(0, at: 16)
        frame.set16(~referenceSum([UInt8](frame[34..<innerTCP])), at: 24)
        let offload = TransmitOffload(
            macHeaderBytes: 14,
            networkHeaderBytes: innerTCP - 14,
            transportHeaderBytes: 20,
            isIPv4: true,
            transport: .tcp,
            fillsNetworkChecksum: true,
            fillsTransportChecksum: true,
            maximumSegmentBytes: 100
        )
        for (index, segment) in try segments(of: frame, offload).enumerated() {
            #expect(Int(segment.number16(at: 16)) == segment.count - 14)
            #expect(segment.number16(at: 18) == 7 + UInt16(index))
            #expect(referenceSum([UInt8](segment[14..<34])) == 0xFFFF, "outer header checksum")
            #expect(segment[34..<innerTCP] == frame[34..<innerTCP], "inner headers")
            let innerPseudo = pseudoHeaderSum(6, addresses: [192, 168, 0, 1, 192, 168, 0, 2], byteCount: 120)
            #expect(referenceSum(big(innerPseudo) + segment[innerTCP...]) == 0xFFFF, "inner TCP checksum")
        }
    }

    // MARK: Hostile descriptors

    @Test func eachRefusalHasItsName() {
        let good = offload(isIPv4: true, maximumSegmentBytes: 100)
        func with(_ change: (inout TransmitOffload) -> Void) -> TransmitOffload {
            var changed = good
            change(&changed)
            return changed
        }
        #expect(refusal(good, frameBytes: 500) == nil)
        #expect(refusal(with { $0.transport = .udp }, frameBytes: 500) == .segmentationOfOtherThanTCP)
        #expect(refusal(with { $0.transport = .none }, frameBytes: 500) == .segmentationOfOtherThanTCP)
        #expect(refusal(with { $0.networkHeaderBytes = 19 }, frameBytes: 500) == .networkHeaderTooShort)
        #expect(refusal(with { $0.isIPv4 = false }, frameBytes: 500) == .networkHeaderTooShort)
        #expect(refusal(with { $0.transportHeaderBytes = 19 }, frameBytes: 500) == .transportHeaderTooShort)
        #expect(refusal(with { $0.maximumSegmentBytes = 0 }, frameBytes: 500) == .segmentSizeZero)
        #expect(refusal(good, frameBytes: 65) == .headersBeyondFrame)
        #expect(refusal(good, frameBytes: 0) == .headersBeyondFrame)
        #expect(refusal(good, frameBytes: 500, limit: 165) == .segmentTooLong)
        #expect(refusal(good, frameBytes: 500, limit: 166) == nil)
    }

    @Test func aSegmentBeyondTheLengthFieldIsRefused() {
        let large = offload(isIPv4: true, maximumSegmentBytes: 0xFFFF)
        #expect(refusal(large, frameBytes: 70_000, limit: .max) == .segmentTooLong)
        #expect(refusal(large, frameBytes: 14 + 0xFFFF, limit: .max) == nil)
        #expect(refusal(large, frameBytes: 14 + 0x1_0000, limit: .max) == .segmentTooLong)
    }

    @Test func whateverADescriptorClaimsTheSegmentsHoldThePayloadOnce() {
        var random = SeededRandom(seed: 6)
        var accepted = 0
        for _ in 0..<4_000 {
            let offload = TransmitOffload(
                macHeaderBytes: Int.random(in: 0...127, using: &random),
                networkHeaderBytes: Int.random(in: 0...511, using: &random),
                transportHeaderBytes: Int.random(in: 0...255, using: &random),
                isIPv4: Bool.random(using: &random),
                transport: .tcp,
                fillsNetworkChecksum: Bool.random(using: &random),
                fillsTransportChecksum: Bool.random(using: &random),
                maximumSegmentBytes: Int.random(in: 0...600, using: &random)
            )
            let frame = payload(Int.random(in: 0...1_500, using: &random))
            guard let all = try? segments(of: frame, offload, limit: 1_000) else { continue }
            accepted += 1
            let headerBytes = offload.macHeaderBytes + offload.networkHeaderBytes + offload.transportHeaderBytes
            let whole = all.flatMap { $0.dropFirst(headerBytes) } == [UInt8](frame.dropFirst(headerBytes))
            if !whole || all.contains(where: { $0.count > 1_000 }) { Issue.record("\(offload)") }
        }
        #expect(accepted > 500, "the test must reach the code")
    }
}
