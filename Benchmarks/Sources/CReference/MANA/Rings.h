// What the loops and the device agree on.
#pragma once

#include "../FreeStack.h"
#include "CReference.h"

#include <stdbool.h>

// A basic unit of work, as quadwords.
struct unit {
    uint64_t words[4];
};

struct entry {
    uint32_t words[16];
};

// num_sge 1, inline_oob_size_div4 2.
static const uint64_t one_piece_header = 0x201ull << 32;

static const uint32_t sent_by_network = 32 | 1 << 6;
static const uint32_t received_by_network = 1 | 1 << 6;
static const uint32_t is_send_queue = 1 << 24;

static const uint32_t verdict_vlan = 1 << 12;
static const uint32_t verdict_hash = 0x1ff << 16;
static const uint32_t verdict_ip_good = 1 << 25;
static const uint32_t verdict_tcp_good = 1 << 27;
static const uint32_t verdict_udp_good = 1 << 29;

static inline uint32_t load_acquire_32(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

// A doorbell is one store; it publishes what was written before.
static inline void ring_doorbell(uint64_t *doorbell, uint64_t value) {
    __atomic_store_n(doorbell, value, __ATOMIC_RELEASE);
}

// The driver's half of a completion ring.
struct completion_ring {
    struct entry *entries;
    uint32_t count;
    uint32_t shift;
    uint32_t head; // counts up from `count`
    uint32_t told;
    uint32_t queue;
    uint64_t *doorbell;
};

static inline struct completion_ring completion_ring(const struct creference_mana *shared) {
    return (struct completion_ring){
        .entries = shared->completions,
        .count = shared->entries,
        .shift = (uint32_t)__builtin_ctz(shared->entries),
        .head = shared->entries,
        .told = shared->entries,
        .queue = shared->completion_queue,
        .doorbell = shared->entry_doorbell,
    };
}

// A completion whose owner bits say that it is the driver's; NULL if there is none. Bits of a lap that cannot be end the
// program: the device here does not lie.
static inline struct entry *next_completion(struct completion_ring *self, uint32_t index) {
    struct entry *entry = &self->entries[index & (self->count - 1)];
    uint32_t owner = load_acquire_32(&entry->words[15]) >> 29;
    uint32_t valid = index >> self->shift & 7;
    if (owner == valid) return entry;
    if (owner != ((valid - 1) & 7)) abort();
    return NULL;
}

// The device must hear at least once in eight laps how far the driver is; Linux tells it once in four.
static inline void tell_if_due(struct completion_ring *self) {
    if (self->head - self->told < self->count << 2) return;
    self->told = self->head;
    uint64_t tail = self->head & ((self->count << 3) - 1);
    ring_doorbell(self->doorbell, self->queue | tail << 32);
}
