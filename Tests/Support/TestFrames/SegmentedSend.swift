// A TCP send as a stack hands it to a card that cuts it, and the segments that must come out: each built as a frame of its
// own, by no code of ours that cuts.

/// TCP with timestamps between two stations, over IPv4 or IPv6.
public struct SegmentedSend {
    public var isIPv4: Bool
    public var data: [UInt8]

    // Near their ends, so that they wrap within a send.
    private static let identification: UInt16 = 0xFFFE
    private static let sequence: UInt32 = 0xFFFF_FF80

    public init(isIPv4: Bool, _ data: [UInt8]) {
        self.isIPv4 = isIPv4
        self.data = data
    }

    /// What a stack hands over (virtio's rule and Linux's): lengths zero, and the pseudo-header's sum without length in TCP's
    /// checksum.
    public var prototype: [UInt8] {
        var whole = frame(tag: nil, segment: 0, sequence: Self.sequence, flags: 0x18, data)
        let addresses = [UInt8](isIPv4 ? whole[26..<34] : whole[22..<54])
        whole.set16(0, at: isIPv4 ? 16 : 18)
        if isIPv4 { whole.set16(0, at: 24) }
        whole.set16(pseudoHeaderSum(6, addresses: addresses, byteCount: 0), at: isIPv4 ? 50 : 70)
        return whole
    }

    /// The segments, of `size` bytes of data each but the last.
    public func segments(of size: Int, tag: UInt16? = nil) -> [[UInt8]] {
        let count = (data.count + size - 1) / size
        return (0..<count).map { index in
            let start = index * size
            return frame(
                tag: tag,
                segment: index,
                sequence: Self.sequence &+ UInt32(start),
                // PSH goes out with the last one only.
                flags: index == count - 1 ? 0x18 : 0x10,
                [UInt8](data[start..<min(data.count, start + size)])
            )
        }
    }

    private func frame(tag: UInt16?, segment: Int, sequence: UInt32, flags: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let options: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
        let transport = tcp(sequence: sequence, flags: flags, options: options, payload)
        let tags = tag.map { [$0] } ?? []
        return isIPv4
            ? ipv4Frame(6, identification: Self.identification &+ UInt16(segment), tags: tags, transport)
            : ipv6Frame(6, tags: tags, transport)
    }
}
