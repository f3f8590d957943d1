// The Tx loop: frames into descriptors, done descriptors back into buffers. One slot stays free, so that equal indices
// mean an empty ring.

#include "Driver.h"

struct frame {
    uint64_t iova;
    uint64_t cookie;
    uint32_t length;
};

struct creference_transmit {
    struct descriptor *ring;
    uint64_t *cookies;
    uint32_t count;
    uint32_t next;
    uint32_t clean;
    struct creference_shared shared;
    struct free_stack free;
    uint64_t iova;
};

struct creference_transmit *creference_transmit_create(struct creference_shared shared, uint64_t iova, uint32_t buffers) {
    struct creference_transmit *self = calloc(1, sizeof *self);
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

void creference_transmit_destroy(struct creference_transmit *self) {
    free(self->free.numbers);
    free(self->cookies);
    free(self);
}

static inline uint32_t room(const struct creference_transmit *self) {
    uint32_t used = self->next - self->clean;
    if (self->next < self->clean) used += self->count;
    return self->count - 1 - used;
}

static inline uint32_t submit(struct creference_transmit *self, const struct frame *frames, uint32_t limit) {
    uint32_t submitted = smaller(limit, room(self));
    uint32_t index = self->next;
    for (uint32_t i = 0; i < submitted; i++) {
        uint64_t length = frames[i].length & 0xffff;
        self->ring[index].low = frames[i].iova;
        self->ring[index].high = transmit_command | length | length << 46;
        self->cookies[index] = frames[i].cookie;
        index = following(index, self->count);
    }
    self->next = index;
    return submitted;
}

static inline uint32_t reap(struct creference_transmit *self, uint64_t *reaped) {
    uint32_t index = self->clean;
    uint32_t end = self->next;
    uint32_t found = 0;
    while (index != end && found < creference_burst) {
        if (!(load_acquire(&self->ring[index].high) & transmit_done)) break;
        reaped[found++] = self->cookies[index];
        index = following(index, self->count);
    }
    self->clean = index;
    return found;
}

uint64_t creference_transmit_lap(struct creference_transmit *self, uint32_t bursts, uint32_t length) {
    uint64_t sent = 0;
    for (uint32_t burst = 0; burst < bursts; burst++) {
        uint64_t reaped[creference_burst];
        uint32_t done = reap(self, reaped);
        for (uint32_t i = 0; i < done; i++) free_stack_push(&self->free, (uint32_t)reaped[i]);

        struct frame frames[creference_burst];
        uint32_t wanted = smaller(smaller(creference_burst, self->free.count), room(self));
        for (uint32_t i = 0; i < wanted; i++) {
            uint64_t number = free_stack_pop(&self->free);
            frames[i] = (struct frame){self->iova + (number << buffer_shift), number, length};
        }
        sent += submit(self, frames, wanted);
        ring_tail(&self->shared, self->next);
    }
    return sent;
}
