// The device that both loops work with: it takes what the doorbell gives it and completes it, in order, at once.

#include "Rings.h"

#include <string.h>

void creference_mana_device_reset(struct creference_mana_device *self, struct creference_mana shared) {
    memset(shared.work, 0, shared.units * sizeof(struct unit));
    memset(shared.completions, 0, shared.entries * sizeof(struct entry));
    *shared.work_doorbell = shared.queue;
    *shared.entry_doorbell = shared.completion_queue | (uint64_t)shared.entries << 32;
    *self = (struct creference_mana_device){.shared = shared, .producer = shared.entries, .digest = 1};
}

static void digest(struct creference_mana_device *self, uint64_t word) {
    self->digest = (self->digest ^ word) * 0x9e3779b97f4a7c15ull;
}

// The tail that was rung; errors are counted of doorbells that name another queue.
static uint32_t rung_tail(struct creference_mana_device *self) {
    uint64_t doorbell = __atomic_load_n(self->shared.work_doorbell, __ATOMIC_ACQUIRE);
    if ((uint32_t)doorbell != self->shared.queue) self->errors++;
    digest(self, doorbell);
    uint64_t entries = __atomic_load_n(self->shared.entry_doorbell, __ATOMIC_ACQUIRE);
    if ((uint32_t)entries != self->shared.completion_queue) self->errors++;
    digest(self, entries);
    return doorbell >> 32;
}

static struct unit *take_unit(struct creference_mana_device *self) {
    struct unit *unit = (struct unit *)self->shared.work + (self->head >> 5 & (self->shared.units - 1));
    for (int i = 0; i < 4; i++) digest(self, unit->words[i]);
    if (unit->words[0] != one_piece_header) self->errors++;
    if ((uint32_t)unit->words[3] != self->shared.memory_key) self->errors++;
    self->head += sizeof *unit;
    self->completed++;
    return unit;
}

static void post(struct creference_mana_device *self, const uint32_t *words, uint32_t flags) {
    struct entry *entry = (struct entry *)self->shared.completions + (self->producer & (self->shared.entries - 1));
    memcpy(entry->words, words, 5 * sizeof *words);
    uint32_t owner = self->producer / self->shared.entries & 7;
    __atomic_store_n(&entry->words[15], self->shared.queue | flags | owner << 29, __ATOMIC_RELEASE);
    self->producer++;
}

void creference_mana_device_transmit(struct creference_mana_device *self, uint32_t length) {
    uint32_t tail = rung_tail(self);
    while (self->head != tail) {
        struct unit *unit = take_unit(self);
        uint32_t completion_queue = unit->words[1] >> 8 & 0xffffff;
        if (completion_queue != self->shared.completion_queue || unit->words[3] >> 32 != length) self->errors++;
        uint32_t words[5] = {sent_by_network};
        post(self, words, is_send_queue);
    }
}

void creference_mana_device_receive(struct creference_mana_device *self, uint32_t length) {
    uint32_t tail = rung_tail(self);
    while (self->head != tail) {
        struct unit *unit = take_unit(self);
        if (unit->words[3] >> 32 < length || unit->words[1] != 0) self->errors++;
        // tcp4 of the hash types.
        uint32_t words[5] = {
            received_by_network, verdict_ip_good | verdict_tcp_good | 1 << 17, length, 0, (uint32_t)self->completed};
        post(self, words, 0);
    }
}
