// The device that both loops work with: it takes what the doorbell gives it and completes it, in order, at once.

#include "Rings.h"

#include <string.h>

void creference_mana_device_reset(struct creference_mana_device *self, struct creference_mana_shared shared) {
    memset(shared.work, 0, shared.units * sizeof(struct unit));
    memset(shared.completions, 0, shared.entries * sizeof(struct completion));
    __atomic_store_n(shared.work_doorbell, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(shared.completion_doorbell, 0, __ATOMIC_SEQ_CST);
    *self = (struct creference_mana_device){.shared = shared, .completion = shared.entries, .digest = 1};
}

static void digest(struct creference_mana_device *self, uint64_t word) {
    self->digest = (self->digest ^ word) * 0x9e3779b97f4a7c15ull;
}

// How far the driver has written, in units; a doorbell of another queue is an error.
static uint32_t tail_of(struct creference_mana_device *self, uint32_t queue) {
    uint64_t doorbell = __atomic_load_n(self->shared.work_doorbell, __ATOMIC_ACQUIRE);
    if (doorbell != 0 && (uint32_t)doorbell != queue) self->errors++;
    uint32_t tail = (uint32_t)(doorbell >> 32) >> 5;
    // The tail has 27 bits of units; more than a ring of them is not there.
    uint32_t units = (tail - self->unit) & 0x07ffffff;
    if (units > self->shared.units) {
        self->errors++;
        return self->unit;
    }
    return self->unit + units;
}

static void complete(struct creference_mana_device *self, const struct completion *data, uint32_t queue) {
    struct completion *ring = self->shared.completions;
    struct completion *completion = &ring[self->completion & (self->shared.entries - 1)];
    // The driver must tell, once in eight laps, how far it has read: else owner bits say nothing any more.
    uint64_t told = __atomic_load_n(self->shared.completion_doorbell, __ATOMIC_ACQUIRE);
    uint32_t laps = self->shared.entries << 3;
    uint32_t read = told == 0 ? self->shared.entries : (uint32_t)(told >> 32);
    if (told != 0 && (uint32_t)told != creference_mana_completion_queue) self->errors++;
    if (((self->completion - read) & (laps - 1)) >= laps - self->shared.entries) self->errors++;
    memcpy(completion->data, data->data, sizeof completion->data);
    store_release32(&completion->tail, queue | lap(self->completion, log2_of(self->shared.entries)) << owner_shift);
    self->completion++;
    self->completed++;
}

void creference_mana_device_transmit(struct creference_mana_device *self, uint32_t length) {
    struct unit *ring = self->shared.work;
    for (uint32_t tail = tail_of(self, creference_mana_send_queue); self->unit != tail; self->unit++) {
        uint32_t slot = self->unit & (self->shared.units - 1);
        struct unit *unit = &ring[slot];
        if (unit->header != work_header) self->errors++;
        if (unit->key_and_length != ((uint64_t)length << 32 | creference_mana_memory_key)) self->errors++;
        digest(self, unit->oob);
        digest(self, unit->address);
        struct completion data = {.data = {[0] = type_sent | network_client, [2] = slot << 5}};
        complete(self, &data, creference_mana_send_queue | is_send);
    }
}

void creference_mana_device_receive(struct creference_mana_device *self, uint32_t length, uint32_t buffer_bytes) {
    struct unit *ring = self->shared.work;
    for (uint32_t tail = tail_of(self, creference_mana_receive_queue); self->unit != tail; self->unit++) {
        uint32_t slot = self->unit & (self->shared.units - 1);
        struct unit *unit = &ring[slot];
        if (unit->header != work_header || unit->oob != 0) self->errors++;
        if (unit->key_and_length != ((uint64_t)buffer_bytes << 32 | creference_mana_memory_key)) self->errors++;
        digest(self, unit->address);
        struct completion data = {
            .data =
                {
                    [0] = type_received | network_client,
                    [1] = verdict_ip_good | verdict_tcp_good | verdict_hash_tcp4,
                    [2] = length,
                    [4] = (uint32_t)self->completed,
                    [14] = slot << 5,
                },
        };
        complete(self, &data, creference_mana_receive_queue);
    }
}
