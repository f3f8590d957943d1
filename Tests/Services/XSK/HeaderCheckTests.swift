// Every number of linux/if_xdp.h that the service states, as a C compiler sees it in the kernel's own header.

import Testing
import XSK

@Suite struct HeaderCheckTests {
    @Test(.enabled(if: HeaderCheck.includeFolder != nil, HeaderCheck.whyNot))
    func everyValueIsTheHeaders() throws {
        var child = try CProgram("values.c").start()
        let printed = child.readToEnd()
        #expect(child.wait() == 0)
        var header: [String: UInt64] = [:]
        for line in printed.split(separator: "\n") {
            let words = line.split(separator: " ")
            try #require(words.count == 2)
            header[String(words[0])] = UInt64(words[1])
        }
        for (name, value) in header { #expect(Self.ours[name] == value, "\(name)") }
        // What older headers do not have may be missing there; all else must be compared.
        for name in Self.ours.keys where !Self.newerThanLinux612.contains(name) {
            #expect(header[name] != nil, "\(name)")
        }
    }

    static let newerThanLinux612: Set<String> = [
        "sizeof(xsk_tx_metadata)", "XDP_TXMD_FLAGS_LAUNCH_TIME", "xsk_tx_metadata.request.launch_time",
        "XDP_MAX_TX_SKB_BUDGET",
    ]

    static let ours: [String: UInt64] = numbers.merging(layouts) { number, _ in number }

    static let numbers: [String: UInt64] = [
        "AF_XDP": UInt64(XSKSocketABI.addressFamily),
        "SOL_XDP": UInt64(XSKSocketABI.optionLevel),
        "XDP_MMAP_OFFSETS": UInt64(XSKSocketABI.mapOffsetsOption),
        "XDP_RX_RING": UInt64(XSKSocketABI.receiveRingOption),
        "XDP_TX_RING": UInt64(XSKSocketABI.transmitRingOption),
        "XDP_UMEM_REG": UInt64(XSKSocketABI.registerUMEMOption),
        "XDP_UMEM_FILL_RING": UInt64(XSKSocketABI.fillRingOption),
        "XDP_UMEM_COMPLETION_RING": UInt64(XSKSocketABI.completionRingOption),
        "XDP_STATISTICS": UInt64(XSKSocketABI.statisticsOption),
        "XDP_OPTIONS": UInt64(XSKSocketABI.optionsOption),
        "XDP_MAX_TX_SKB_BUDGET": UInt64(XSKSocketABI.maximumTransmitBudgetOption),
        "XDP_SHARED_UMEM": UInt64(XSKBindFlags.sharedUMEM.rawValue),
        "XDP_COPY": UInt64(XSKBindFlags.copy.rawValue),
        "XDP_ZEROCOPY": UInt64(XSKBindFlags.zeroCopy.rawValue),
        "XDP_USE_NEED_WAKEUP": UInt64(XSKBindFlags.useNeedWakeup.rawValue),
        "XDP_USE_SG": UInt64(XSKBindFlags.scatterGather.rawValue),
        "XDP_UMEM_UNALIGNED_CHUNK_FLAG": UInt64(UMEMFlags.unalignedChunks.rawValue),
        "XDP_UMEM_TX_SW_CSUM": UInt64(UMEMFlags.softwareChecksum.rawValue),
        "XDP_UMEM_TX_METADATA_LEN": UInt64(UMEMFlags.transmitMetadataLength.rawValue),
        "XDP_OPTIONS_ZEROCOPY": UInt64(XSKOptions.zeroCopy.rawValue),
        "XDP_RING_NEED_WAKEUP": UInt64(XSKRingFlags.needWakeup.rawValue),
        "XDP_PKT_CONTD": UInt64(XSKDescriptorOptions.continued.rawValue),
        "XDP_TX_METADATA": UInt64(XSKDescriptorOptions.transmitMetadata.rawValue),
        "XDP_TXMD_FLAGS_TIMESTAMP": UInt64(XSKTransmitRequest.timestamp.rawValue),
        "XDP_TXMD_FLAGS_CHECKSUM": UInt64(XSKTransmitRequest.checksum.rawValue),
        "XDP_TXMD_FLAGS_LAUNCH_TIME": UInt64(XSKTransmitRequest.launchTime.rawValue),
        "XDP_PGOFF_RX_RING": XSKRing.receive.mapOffset,
        "XDP_PGOFF_TX_RING": XSKRing.transmit.mapOffset,
        "XDP_UMEM_PGOFF_FILL_RING": XSKRing.fill.mapOffset,
        "XDP_UMEM_PGOFF_COMPLETION_RING": XSKRing.completion.mapOffset,
    ]

    static let layouts: [String: UInt64] = [
        "ring_words.producer": XSKRingOffset.linux.producer,
        "ring_words.consumer": XSKRingOffset.linux.consumer,
        "ring_words.flags": XSKRingOffset.linux.flags,
        "sizeof(ring_words)": XSKRingOffset.linux.entries,
        "sizeof(sockaddr_xdp)": size(XSKSocketAddress.self),
        "sockaddr_xdp.sxdp_family": offset(\XSKSocketAddress.family),
        "sockaddr_xdp.sxdp_flags": offset(\XSKSocketAddress.flags),
        "sockaddr_xdp.sxdp_ifindex": offset(\XSKSocketAddress.interfaceIndex),
        "sockaddr_xdp.sxdp_queue_id": offset(\XSKSocketAddress.queue),
        "sockaddr_xdp.sxdp_shared_umem_fd": offset(\XSKSocketAddress.sharedUMEMDescriptor),
        "sizeof(xdp_ring_offset)": size(XSKRingOffset.self),
        "xdp_ring_offset.producer": offset(\XSKRingOffset.producer),
        "xdp_ring_offset.consumer": offset(\XSKRingOffset.consumer),
        "xdp_ring_offset.desc": offset(\XSKRingOffset.entries),
        "xdp_ring_offset.flags": offset(\XSKRingOffset.flags),
        "sizeof(xdp_mmap_offsets)": size(XSKMapOffsets.self),
        "xdp_mmap_offsets.rx": offset(\XSKMapOffsets.receive),
        "xdp_mmap_offsets.tx": offset(\XSKMapOffsets.transmit),
        "xdp_mmap_offsets.fr": offset(\XSKMapOffsets.fill),
        "xdp_mmap_offsets.cr": offset(\XSKMapOffsets.completion),
        "sizeof(xdp_umem_reg)": size(UMEMRegistration.self),
        "xdp_umem_reg.addr": offset(\UMEMRegistration.address),
        "xdp_umem_reg.len": offset(\UMEMRegistration.byteCount),
        "xdp_umem_reg.chunk_size": offset(\UMEMRegistration.chunkSize),
        "xdp_umem_reg.headroom": offset(\UMEMRegistration.headroom),
        "xdp_umem_reg.flags": offset(\UMEMRegistration.flags),
        "xdp_umem_reg.tx_metadata_len": offset(\UMEMRegistration.transmitMetadataLength),
        "sizeof(xdp_statistics)": size(XSKStatistics.self),
        "xdp_statistics.rx_dropped": offset(\XSKStatistics.receiveDropped),
        "xdp_statistics.rx_invalid_descs": offset(\XSKStatistics.receiveInvalidDescriptors),
        "xdp_statistics.tx_invalid_descs": offset(\XSKStatistics.transmitInvalidDescriptors),
        "xdp_statistics.rx_ring_full": offset(\XSKStatistics.receiveRingFull),
        "xdp_statistics.rx_fill_ring_empty_descs": offset(\XSKStatistics.fillRingEmpty),
        "xdp_statistics.tx_ring_empty_descs": offset(\XSKStatistics.transmitRingEmpty),
        "sizeof(xdp_options)": size(XSKOptions.self),
        "xdp_options.flags": 0,
        "sizeof(xdp_desc)": size(XSKDescriptor.self),
        "xdp_desc.addr": offset(\XSKDescriptor.address),
        "xdp_desc.len": offset(\XSKDescriptor.length),
        "xdp_desc.options": offset(\XSKDescriptor.options),
        "sizeof(xsk_tx_metadata)": UInt64(XSKTransmitMetadataLayout.lengthWithLaunchTime),
        "xsk_tx_metadata.flags": UInt64(XSKTransmitMetadataLayout.flags),
        "xsk_tx_metadata.request.csum_start": UInt64(XSKTransmitMetadataLayout.checksumStart),
        "xsk_tx_metadata.request.csum_offset": UInt64(XSKTransmitMetadataLayout.checksumOffset),
        "xsk_tx_metadata.request.launch_time": UInt64(XSKTransmitMetadataLayout.launchTime),
        "xsk_tx_metadata.completion.tx_timestamp": UInt64(XSKTransmitMetadataLayout.timestamp),
    ]

    private static func size<T>(_ type: T.Type) -> UInt64 { UInt64(MemoryLayout<T>.stride) }

    /// A field without an offset would compare as one that no header has.
    private static func offset<T>(_ field: PartialKeyPath<T>) -> UInt64 {
        MemoryLayout<T>.offset(of: field).map(UInt64.init) ?? .max
    }
}
