// The Tx loop: frames into work requests, completions back into buffers.

#include "Rings.h"

struct creference_mana_transmit {
    struct unit *units;
    uint64_t *cookies;
    uint8_t *spans; // units of the request that begins there
    uint32_t mask;
    uint32_t head;
    uint32_t clean;
    struct completion_ring completions;
    struct creference_mana shared;
    struct free_stack free;
    uint64_t iova;
    uint64_t out_of_band;
    uint32_t signature;
};

struct creference_mana_transmit *
creference_mana_transmit_create(struct creference_mana shared, uint64_t iova, uint32_t buffers) {
    struct creference_mana_transmit *self = calloc(1, sizeof *self);
    uint64_t *cookies = calloc(shared.units, sizeof *cookies);
    uint8_t *spans = calloc(shared.units, sizeof *spans);
    if (!self || !cookies || !spans) abort();
    self->units = shared.work;
    self->cookies = cookies;
    self->spans = spans;
    self->mask = shared.units - 1;
    self->completions = completion_ring(&shared);
    self->shared = shared;
    self->iova = iova;
    // vcq_num, and vsq_frame in the second dword.
    self->out_of_band =
        (uint64_t)shared.completion_queue << 8 | (uint64_t)(shared.queue >> 10 & 0x3fff) << 10 << 32;
    self->signature = shared.queue | is_send_queue;
    free_stack_fill(&self->free, buffers);
    return self;
}

void creference_mana_transmit_destroy(struct creference_mana_transmit *self) {
    free(self->free.numbers);
    free(self->cookies);
    free(self->spans);
    free(self);
}

static inline uint32_t room(const struct creference_mana_transmit *self) {
    return self->mask + 1 - (self->head - self->clean);
}

static inline bool submit(struct creference_mana_transmit *self, uint64_t iova, uint64_t cookie, uint32_t length) {
    if (room(self) < 1) return false;
    uint32_t slot = self->head & self->mask;
    self->cookies[slot] = cookie;
    self->spans[slot] = 1;
    self->units[slot] = (struct unit){
        {one_piece_header, self->out_of_band, iova, (uint64_t)length << 32 | self->shared.memory_key}};
    self->head++;
    return true;
}

static inline uint32_t reap(struct creference_mana_transmit *self, uint64_t *reaped) {
    uint32_t index = self->completions.head;
    uint32_t unit = self->clean;
    uint32_t found = 0;
    struct entry *entry;
    while (found < creference_burst && (entry = next_completion(&self->completions, index))) {
        // Of this queue, for a request that is out, of client 1, and sent.
        if ((entry->words[15] & 0x1ffffff) != self->signature || unit == self->head) abort();
        if ((entry->words[0] & 0xff) != sent_by_network) abort();
        uint32_t slot = unit & self->mask;
        reaped[found++] = self->cookies[slot];
        unit += self->spans[slot];
        index++;
    }
    self->completions.head = index;
    self->clean = unit;
    return found;
}

uint64_t creference_mana_transmit_lap(struct creference_mana_transmit *self, uint32_t bursts, uint32_t length) {
    uint64_t sent = 0;
    for (uint32_t burst = 0; burst < bursts; burst++) {
        uint64_t reaped[creference_burst];
        uint32_t done = reap(self, reaped);
        for (uint32_t i = 0; i < done; i++) free_stack_push(&self->free, (uint32_t)reaped[i]);

        uint32_t wanted = smaller(smaller(creference_burst, self->free.count), room(self));
        for (uint32_t i = 0; i < wanted; i++) {
            uint64_t number = free_stack_pop(&self->free);
            sent += submit(self, self->iova + (number << buffer_shift), number, length);
        }
        ring_doorbell(self->shared.work_doorbell, self->shared.queue | (uint64_t)(self->head << 5) << 32);
        tell_if_due(&self->completions);
    }
    return sent;
}
