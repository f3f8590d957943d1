// Prints every size, offset and number of linux/if_xdp.h that the XSK service states, one "name value" a line.

#include <linux/if_xdp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#define NUMBER(name) printf("%s %llu\n", #name, (unsigned long long)(name))
#define SIZE(type) printf("sizeof(%s) %zu\n", #type, sizeof(struct type))
#define OFFSET(type, field) printf("%s.%s %zu\n", #type, #field, offsetof(struct type, field))

// How Linux 6.12 lays out the shared words of a ring (net/xdp/xsk_queue.h, struct xdp_ring, on lines of 64 bytes). Not in
// the header, because programs learn it from XDP_MMAP_OFFSETS. The entries follow the structure.
struct ring_words {
    _Alignas(64) uint32_t producer;
    _Alignas(64) uint32_t line_between;
    _Alignas(64) uint32_t consumer;
    _Alignas(64) uint32_t another_line_between;
    uint32_t flags;
    _Alignas(64) uint32_t last_line;
};

int main(void) {
    OFFSET(ring_words, producer);
    OFFSET(ring_words, consumer);
    OFFSET(ring_words, flags);
    SIZE(ring_words);

    NUMBER(AF_XDP);
    NUMBER(SOL_XDP);
    NUMBER(XDP_MMAP_OFFSETS);
    NUMBER(XDP_RX_RING);
    NUMBER(XDP_TX_RING);
    NUMBER(XDP_UMEM_REG);
    NUMBER(XDP_UMEM_FILL_RING);
    NUMBER(XDP_UMEM_COMPLETION_RING);
    NUMBER(XDP_STATISTICS);
    NUMBER(XDP_OPTIONS);

    NUMBER(XDP_SHARED_UMEM);
    NUMBER(XDP_COPY);
    NUMBER(XDP_ZEROCOPY);
    NUMBER(XDP_USE_NEED_WAKEUP);
    NUMBER(XDP_USE_SG);
    NUMBER(XDP_UMEM_UNALIGNED_CHUNK_FLAG);
    NUMBER(XDP_UMEM_TX_SW_CSUM);
    NUMBER(XDP_UMEM_TX_METADATA_LEN);
    NUMBER(XDP_OPTIONS_ZEROCOPY);
    NUMBER(XDP_RING_NEED_WAKEUP);
    NUMBER(XDP_PKT_CONTD);
    NUMBER(XDP_TX_METADATA);
    NUMBER(XDP_TXMD_FLAGS_TIMESTAMP);
    NUMBER(XDP_TXMD_FLAGS_CHECKSUM);

    NUMBER(XDP_PGOFF_RX_RING);
    NUMBER(XDP_PGOFF_TX_RING);
    NUMBER(XDP_UMEM_PGOFF_FILL_RING);
    NUMBER(XDP_UMEM_PGOFF_COMPLETION_RING);

    SIZE(sockaddr_xdp);
    OFFSET(sockaddr_xdp, sxdp_family);
    OFFSET(sockaddr_xdp, sxdp_flags);
    OFFSET(sockaddr_xdp, sxdp_ifindex);
    OFFSET(sockaddr_xdp, sxdp_queue_id);
    OFFSET(sockaddr_xdp, sxdp_shared_umem_fd);

    SIZE(xdp_ring_offset);
    OFFSET(xdp_ring_offset, producer);
    OFFSET(xdp_ring_offset, consumer);
    OFFSET(xdp_ring_offset, desc);
    OFFSET(xdp_ring_offset, flags);
    SIZE(xdp_mmap_offsets);
    OFFSET(xdp_mmap_offsets, rx);
    OFFSET(xdp_mmap_offsets, tx);
    OFFSET(xdp_mmap_offsets, fr);
    OFFSET(xdp_mmap_offsets, cr);

    SIZE(xdp_umem_reg);
    OFFSET(xdp_umem_reg, addr);
    OFFSET(xdp_umem_reg, len);
    OFFSET(xdp_umem_reg, chunk_size);
    OFFSET(xdp_umem_reg, headroom);
    OFFSET(xdp_umem_reg, flags);
    OFFSET(xdp_umem_reg, tx_metadata_len);

    SIZE(xdp_statistics);
    OFFSET(xdp_statistics, rx_dropped);
    OFFSET(xdp_statistics, rx_invalid_descs);
    OFFSET(xdp_statistics, tx_invalid_descs);
    OFFSET(xdp_statistics, rx_ring_full);
    OFFSET(xdp_statistics, rx_fill_ring_empty_descs);
    OFFSET(xdp_statistics, tx_ring_empty_descs);
    SIZE(xdp_options);
    OFFSET(xdp_options, flags);

    SIZE(xdp_desc);
    OFFSET(xdp_desc, addr);
    OFFSET(xdp_desc, len);
    OFFSET(xdp_desc, options);

    OFFSET(xsk_tx_metadata, flags);
    OFFSET(xsk_tx_metadata, request.csum_start);
    OFFSET(xsk_tx_metadata, request.csum_offset);
    OFFSET(xsk_tx_metadata, completion.tx_timestamp);

    // Since Linux 6.15.
#ifdef XDP_TXMD_FLAGS_LAUNCH_TIME
    SIZE(xsk_tx_metadata);
    NUMBER(XDP_TXMD_FLAGS_LAUNCH_TIME);
    OFFSET(xsk_tx_metadata, request.launch_time);
#endif
    // Since Linux 7.0.
#ifdef XDP_MAX_TX_SKB_BUDGET
    NUMBER(XDP_MAX_TX_SKB_BUDGET);
#endif
    return 0;
}
