// A program written to the AF_XDP ABI, with no idea of Doorbell: it sends frames, some with a request for a stamp, lends
// chunks, and prints what comes back. The test that starts it is the driver.
//
// Standard input: struct xdp_mmap_offsets as getsockopt would give it, struct xdp_umem_reg as registered, and the number
// of entries of every ring. Descriptors: 3 rings, 4 umem, 5 the eventfd that stands for sendto().

#include <linux/if_xdp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RINGS = 3, UMEM = 4, KICK = 5, FRAMES = 6, CHUNKS_LENT = 3 };

struct ring {
    uint32_t *producer, *consumer, *flags;
    void *entries;
    uint32_t size;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void must_read(void *into, size_t count) {
    if (fread(into, count, 1, stdin) != 1) fail("standard input");
}

static struct ring map_ring(const struct xdp_ring_offset *offset, uint32_t size, size_t entry, uint64_t page_offset) {
    char *base = mmap(NULL, offset->desc + size * entry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, RINGS,
                      (off_t)page_offset);
    if (base == MAP_FAILED) fail("mmap of a ring");
    struct ring ring = {(uint32_t *)(base + offset->producer), (uint32_t *)(base + offset->consumer),
                        (uint32_t *)(base + offset->flags), base + offset->desc, size};
    return ring;
}

static uint32_t wait_for_entry(struct ring *ring) {
    uint32_t index = __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);
    while (__atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) == index) sched_yield();
    return index & (ring->size - 1);
}

static void consume(struct ring *ring) {
    __atomic_store_n(ring->consumer, *ring->consumer + 1, __ATOMIC_RELEASE);
}

static void publish(struct ring *ring, uint32_t count) {
    __atomic_store_n(ring->producer, *ring->producer + count, __ATOMIC_RELEASE);
}

int main(void) {
    // A driver that never answers must not leave this behind.
    alarm(60);
    struct xdp_mmap_offsets offsets;
    struct xdp_umem_reg registration;
    uint32_t size;
    must_read(&offsets, sizeof offsets);
    must_read(&registration, sizeof registration);
    must_read(&size, sizeof size);

    struct ring rx = map_ring(&offsets.rx, size, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
    struct ring tx = map_ring(&offsets.tx, size, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
    struct ring fill = map_ring(&offsets.fr, size, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING);
    struct ring completion = map_ring(&offsets.cr, size, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING);
    uint8_t *umem = mmap(NULL, registration.len, PROT_READ | PROT_WRITE, MAP_SHARED, UMEM, 0);
    if (umem == MAP_FAILED) fail("mmap of the umem");

    // Frame n: chunk n, 60 + n bytes of value n; odd ones ask for a stamp.
    for (uint32_t n = 0; n < FRAMES; n++) {
        uint64_t address = (uint64_t)n * registration.chunk_size + registration.tx_metadata_len;
        memset(umem + address, (int)n, 60 + n);
        struct xdp_desc *desc = (struct xdp_desc *)tx.entries + (n & (size - 1));
        *desc = (struct xdp_desc){.addr = address, .len = 60 + n, .options = n % 2 ? XDP_TX_METADATA : 0};
        struct xsk_tx_metadata *meta = (void *)(umem + address - registration.tx_metadata_len);
        if (n % 2) meta->flags = XDP_TXMD_FLAGS_TIMESTAMP;
    }
    publish(&tx, FRAMES);
    for (uint32_t n = 0; n < CHUNKS_LENT; n++)
        ((uint64_t *)fill.entries)[n & (size - 1)] = (uint64_t)(FRAMES + n) * registration.chunk_size;
    publish(&fill, CHUNKS_LENT);

    printf("need-wakeup %u\n", __atomic_load_n(tx.flags, __ATOMIC_ACQUIRE) & XDP_RING_NEED_WAKEUP);
    uint64_t one = 1;
    if (write(KICK, &one, sizeof one) != sizeof one) fail("kick");

    for (uint32_t n = 0; n < FRAMES; n++) {
        uint64_t address = ((uint64_t *)completion.entries)[wait_for_entry(&completion)];
        struct xsk_tx_metadata *meta = (void *)(umem + address - registration.tx_metadata_len);
        printf("completed %llu %llu\n", (unsigned long long)address, (unsigned long long)meta->completion.tx_timestamp);
        consume(&completion);
    }
    for (uint32_t n = 0; n < CHUNKS_LENT; n++) {
        struct xdp_desc *desc = (struct xdp_desc *)rx.entries + wait_for_entry(&rx);
        uint32_t sum = 0;
        for (uint32_t byte = 0; byte < desc->len; byte++) sum += umem[desc->addr + byte];
        printf("received %llu %u %u\n", (unsigned long long)desc->addr, desc->len, sum);
        consume(&rx);
    }
    return 0;
}
