// The Rx loop: written-back descriptors up as frames, fresh buffers into the ring. A descriptor is done when its length
// is not zero; the slot behind the last provided one has its length cleared (igc_alloc_rx_buffers, Linux 6.12).

#include "Driver.h"
#include "Netdev.h"

struct creference_receive {
    struct descriptor *ring;
    uint64_t *cookies;
    uint32_t count;
    uint32_t next;
    uint32_t clean;
    struct creference_shared shared;
    struct free_stack free;
    uint64_t iova;
};

struct creference_receive *creference_receive_create(struct creference_shared shared, uint64_t iova, uint32_t buffers) {
    struct creference_receive *self = calloc(1, sizeof *self);
    uint64_t *cookies = calloc(shared.count, sizeof *cookies);
    if (!self || !cookies) abort();
    self->ring = shared.descriptors;
    self->cookies = cookies;
    self->count = shared.count;
    self->shared = shared;
    self->iova = iova;
    free_stack_fill(&self->free, buffers);
    return self;
}

void creference_receive_destroy(struct creference_receive *self) {
    free(self->free.numbers);
    free(self->cookies);
    free(self);
}

static inline uint32_t room(const struct creference_receive *self) {
    uint32_t used = self->next - self->clean;
    if (self->next < self->clean) used += self->count;
    return self->count - 1 - used;
}

static inline uint32_t provide(struct creference_receive *self, const struct buffer *buffers, uint32_t limit) {
    uint32_t provided = smaller(limit, room(self));
    uint32_t index = self->next;
    for (uint32_t i = 0; i < provided; i++) {
        self->ring[index].low = buffers[i].iova;
        self->ring[index].high = 0;
        self->cookies[index] = buffers[i].cookie;
        index = following(index, self->count);
    }
    self->ring[index].high = 0;
    self->next = index;
    return provided;
}

static inline uint32_t reap(struct creference_receive *self, struct received_frame *frames) {
    uint32_t index = self->clean;
    uint32_t end = self->next;
    uint32_t found = 0;
    while (index != end && found < creference_burst) {
        uint64_t high = load_acquire(&self->ring[index].high);
        uint32_t length = high >> 32 & 0xffff;
        if (length == 0) break;
        uint64_t low = self->ring[index].low;
        uint16_t tag = high >> 48;
        frames[found++] = (struct received_frame){
            .cookie = self->cookies[index],
            .length = length,
            .continues = !(high & receive_end_of_packet),
            .checksum_is_good =
                (high & (receive_tcp_checked | receive_udp_checked)) &&
                !(high & (receive_ignore_checksum | receive_transport_error | receive_ip_error)),
            .has_timestamp = high & receive_stamped,
            .is_damaged = high & receive_error,
            .vlan_tag = high & receive_looped_back ? __builtin_bswap16(tag) : tag,
            .has_vlan_tag = high & receive_vlan_stripped,
            .hash = low >> 32,
            .hash_type = low & 0xf,
        };
        index = following(index, self->count);
    }
    self->clean = index;
    return found;
}

uint64_t creference_receive_lap(struct creference_receive *self, uint32_t bursts) {
    uint64_t bytes = 0;
    for (uint32_t burst = 0; burst < bursts; burst++) {
        struct received_frame frames[creference_burst];
        uint32_t found = reap(self, frames);
        for (uint32_t i = 0; i < found; i++) {
            if (!frames[i].continues && !frames[i].is_damaged) bytes += frames[i].length;
            free_stack_push(&self->free, (uint32_t)frames[i].cookie);
        }

        struct buffer buffers[creference_burst];
        uint32_t wanted = smaller(smaller(creference_burst, self->free.count), room(self));
        for (uint32_t i = 0; i < wanted; i++) {
            uint64_t number = free_stack_pop(&self->free);
            buffers[i] = (struct buffer){self->iova + (number << buffer_shift), number};
        }
        provide(self, buffers, wanted);
        ring_tail(&self->shared, self->next);
    }
    return bytes;
}
