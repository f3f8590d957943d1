// What both loops of the driver use.
#pragma once

#include "../FreeStack.h"
#include "Rings.h"

enum {
    // Completions of no use that one look takes at the most: a device can write them as fast as they are read.
    patience = 64,
    burst_limit = 32,
};

// The driver's side of a ring of completions.
struct completions {
    struct completion *ring;
    uint32_t entries;
    uint32_t shift;
    uint32_t head;
    // What the device was last told of `head`.
    uint32_t told;
    uint64_t *doorbell;
};

static inline struct completions completions_of(const struct creference_mana_shared *shared) {
    return (struct completions){
        .ring = shared->completions,
        .entries = shared->entries,
        .shift = log2_of(shared->entries),
        .head = shared->entries,
        .told = shared->entries,
        .doorbell = shared->completion_doorbell,
    };
}

static inline struct completion *completion_at(const struct completions *self, uint32_t index) {
    return &self->ring[index & (self->entries - 1)];
}

// An owner that is neither this lap's nor the last one's: the device has overtaken the driver, or lies.
static inline bool is_overflow(const struct completions *self, uint32_t owner, uint32_t index) {
    return owner != ((lap(index, self->shift) - 1) & 7);
}

// The device has to hear once in eight laps how far the driver is; Linux tells it once in four.
static inline void tell_if_overdue(struct completions *self) {
    if (self->head - self->told < self->entries << 2) return;
    self->told = self->head;
    uint64_t tail = self->head & ((self->entries << 3) - 1);
    __atomic_store_n(self->doorbell, tail << 32 | creference_mana_completion_queue, __ATOMIC_RELEASE);
}

static inline void ring_work(uint64_t *doorbell, uint32_t queue, uint32_t head) {
    __atomic_store_n(doorbell, (uint64_t)(head << 5) << 32 | queue, __ATOMIC_RELEASE);
}
