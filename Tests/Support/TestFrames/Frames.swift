// Frames for tests, a function per layer. Checksums are right, by the slow reference, unless a test spoils them.

/// An Ethernet frame without CRC.
public func ethernet(
    to destination: [UInt8] = [0x02, 0, 0, 0, 0, 0x01],
    from source: [UInt8] = [0x02, 0, 0, 0, 0, 0x02],
    tags: [UInt16] = [],
    type: UInt16,
    _ payload: [UInt8]
) -> [UInt8] {
    destination + source + tags.flatMap { big(UInt16(0x8100)) + big($0) } + big(type) + payload
}

/// An IPv4 frame. `options` has a multiple of 4 bytes; `fragment` is the word of flags and offset.
public func ipv4Frame(
    _ protocolNumber: UInt8,
    from source: [UInt8] = [10, 0, 0, 1],
    to destination: [UInt8] = [10, 0, 0, 2],
    identification: UInt16 = 0x1234,
    fragment: UInt16 = 0x4000,
    options: [UInt8] = [],
    tags: [UInt16] = [],
    _ transport: [UInt8]
) -> [UInt8] {
    ethernet(
        tags: tags,
        type: 0x0800,
        ipv4Packet(
            protocolNumber,
            from: source,
            to: destination,
            identification: identification,
            fragment: fragment,
            options: options,
            transport
        )
    )
}

/// An IPv4 packet; see `ipv4Frame`.
public func ipv4Packet(
    _ protocolNumber: UInt8,
    from source: [UInt8] = [10, 0, 0, 1],
    to destination: [UInt8] = [10, 0, 0, 2],
    identification: UInt16 = 0x1234,
    fragment: UInt16 = 0x4000,
    options: [UInt8] = [],
    _ transport: [UInt8]
) -> [UInt8] {
    var header: [UInt8] = [0x45 + UInt8(options.count / 4), 0]
    header += big(UInt16(20 + options.count + transport.count)) + big(identification) + big(fragment)
    header += [64, protocolNumber, 0, 0] + source + destination + options
    header.set16(~referenceSum(header), at: 10)
    return header + sealed(transport, protocolNumber, addresses: source + destination)
}

/// An IPv6 frame; `extensions` are whole extension headers, and `first` is the number of the first of them.
public func ipv6Frame(
    _ protocolNumber: UInt8,
    from source: [UInt8] = [0xFD] + [UInt8](repeating: 0, count: 14) + [1],
    to destination: [UInt8] = [0xFD] + [UInt8](repeating: 0, count: 14) + [2],
    first: UInt8? = nil,
    extensions: [UInt8] = [],
    tags: [UInt16] = [],
    _ transport: [UInt8]
) -> [UInt8] {
    let header: [UInt8] =
        [0x60, 0, 0, 0] + big(UInt16(extensions.count + transport.count)) + [first ?? protocolNumber, 64]
    let sealedTransport = sealed(transport, protocolNumber, addresses: source + destination)
    return ethernet(tags: tags, type: 0x86DD, header + source + destination + extensions + sealedTransport)
}

/// A TCP header and its payload, without checksum.
public func tcp(
    from source: UInt16 = 40_000,
    to destination: UInt16 = 5_201,
    sequence: UInt32 = 0x0102_0304,
    flags: UInt8 = 0x10,
    options: [UInt8] = [],
    _ payload: [UInt8]
) -> [UInt8] {
    let offset = UInt8((20 + options.count) / 4) << 4
    let start = big(source) + big(destination) + big(sequence) + big(UInt32(0x0A0B_0C0D)) + [offset, flags]
    return start + big(UInt16(512)) + [0, 0, 0, 0] + options + payload
}

/// A UDP header and its payload, without checksum.
public func udp(from source: UInt16 = 40_000, to destination: UInt16 = 7, _ payload: [UInt8]) -> [UInt8] {
    big(source) + big(destination) + big(UInt16(8 + payload.count)) + [0, 0] + payload
}

/// The common header of SCTP and its chunks, without checksum.
public func sctp(_ chunks: [UInt8]) -> [UInt8] {
    big(UInt16(40_000)) + big(UInt16(36_412)) + big(UInt32(0x5EED_5EED)) + [0, 0, 0, 0] + chunks
}

/// The folded sum of a pseudo-header.
public func pseudoHeaderSum(_ protocolNumber: UInt8, addresses: [UInt8], byteCount: Int) -> UInt16 {
    referenceSum(addresses + big(UInt32(byteCount)) + [0, 0, 0, protocolNumber])
}

/// The transport with its checksum filled in.
private func sealed(_ transport: [UInt8], _ protocolNumber: UInt8, addresses: [UInt8]) -> [UInt8] {
    var sealed = transport
    let pseudo = big(pseudoHeaderSum(protocolNumber, addresses: addresses, byteCount: transport.count))
    switch protocolNumber {
    case 6 where transport.count >= 20: sealed.set16(~referenceSum(pseudo + transport), at: 16)
    case 17 where transport.count >= 8:
        let checksum = ~referenceSum(pseudo + transport)
        sealed.set16(checksum == 0 ? 0xFFFF : checksum, at: 6)
    case 132 where transport.count >= 12: sealed.set32(referenceCRC32C(transport).byteSwapped, at: 8)
    default: break
    }
    return sealed
}
