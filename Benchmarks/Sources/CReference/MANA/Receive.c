// The Rx loop: completions into frames, fresh buffers into work requests.

#include "../Netdev.h"
#include "Rings.h"

struct creference_mana_receive {
    struct unit *units;
    uint64_t *cookies;
    uint32_t mask;
    uint32_t head;
    uint32_t clean;
    struct completion_ring completions;
    struct creference_mana shared;
    struct free_stack free;
    uint64_t iova;
    uint64_t piece_high;
    uint32_t buffer_bytes;
    uint32_t signature;
};

struct creference_mana_receive *creference_mana_receive_create(
    struct creference_mana shared, uint64_t iova, uint32_t buffers, uint32_t buffer_bytes
) {
    struct creference_mana_receive *self = calloc(1, sizeof *self);
    uint64_t *cookies = calloc(shared.units, sizeof *cookies);
    if (!self || !cookies) abort();
    self->units = shared.work;
    self->cookies = cookies;
    self->mask = shared.units - 1;
    self->completions = completion_ring(&shared);
    self->shared = shared;
    self->iova = iova;
    self->piece_high = (uint64_t)buffer_bytes << 32 | shared.memory_key;
    self->buffer_bytes = buffer_bytes;
    self->signature = shared.queue;
    free_stack_fill(&self->free, buffers);
    return self;
}

void creference_mana_receive_destroy(struct creference_mana_receive *self) {
    free(self->free.numbers);
    free(self->cookies);
    free(self);
}

static inline uint32_t room(const struct creference_mana_receive *self) {
    return self->mask + 1 - (self->head - self->clean);
}

static inline uint32_t provide(struct creference_mana_receive *self, const struct buffer *buffers, uint32_t limit) {
    uint32_t provided = smaller(limit, room(self));
    for (uint32_t i = 0; i < provided; i++) {
        uint32_t slot = self->head++ & self->mask;
        self->cookies[slot] = buffers[i].cookie;
        self->units[slot] = (struct unit){{one_piece_header, 0, buffers[i].iova, self->piece_high}};
    }
    return provided;
}

static inline uint32_t reap(struct creference_mana_receive *self, struct received_frame *frames) {
    uint32_t index = self->completions.head;
    uint32_t unit = self->clean;
    uint32_t found = 0;
    struct entry *entry;
    while (found < creference_burst && (entry = next_completion(&self->completions, index))) {
        if ((entry->words[15] & 0x1ffffff) != self->signature || unit == self->head) abort();
        if ((entry->words[0] & 0x3f) != (received_by_network & 0x3f)) abort();
        uint32_t verdict = entry->words[1];
        uint32_t length = entry->words[2] & 0xffff;
        uint32_t types = verdict & verdict_hash;
        frames[found++] = (struct received_frame){
            .cookie = self->cookies[unit & self->mask],
            .length = length,
            .vlan_tag = verdict & 0xfff,
            .has_vlan_tag = verdict & verdict_vlan,
            .checksum_is_good = (verdict & verdict_ip_good) && (verdict & (verdict_tcp_good | verdict_udp_good)),
            .is_damaged = length == 0 || length > self->buffer_bytes,
            .hash = types ? entry->words[4] : 0,
            .hash_type = types ? (uint8_t)__builtin_ctz(types >> 16) + 1 : 0,
        };
        unit++;
        index++;
    }
    self->completions.head = index;
    self->clean = unit;
    return found;
}

uint64_t creference_mana_receive_lap(struct creference_mana_receive *self, uint32_t bursts) {
    uint64_t bytes = 0;
    for (uint32_t burst = 0; burst < bursts; burst++) {
        struct received_frame frames[creference_burst];
        uint32_t found = reap(self, frames);
        for (uint32_t i = 0; i < found; i++) {
            if (!frames[i].is_damaged) bytes += frames[i].length;
            free_stack_push(&self->free, (uint32_t)frames[i].cookie);
        }

        struct buffer buffers[creference_burst];
        uint32_t wanted = smaller(smaller(creference_burst, self->free.count), room(self));
        for (uint32_t i = 0; i < wanted; i++) {
            uint64_t number = free_stack_pop(&self->free);
            buffers[i] = (struct buffer){self->iova + (number << buffer_shift), number};
        }
        provide(self, buffers, wanted);
        ring_doorbell(self->shared.work_doorbell, self->shared.queue | (uint64_t)(self->head << 5) << 32);
        tell_if_due(&self->completions);
    }
    return bytes;
}
