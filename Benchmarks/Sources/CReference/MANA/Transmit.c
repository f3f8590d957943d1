// The Tx loop: frames into work requests of one unit, completions back into buffers. Completions come in the order of the
// requests, one each (mana_poll_tx_cq, Linux 6.12).

#include "Driver.h"

struct tally {
    uint32_t errors;
    uint32_t unknown;
    uint32_t wrong_queue;
    uint32_t unexpected;
    bool overflowed;
};

struct creference_mana_transmit {
    struct unit *ring;
    uint64_t *cookies;
    // By the unit that a request begins with: how many it has.
    uint8_t *spans;
    uint32_t units;
    uint32_t head;
    uint32_t clean;
    // Dword 15 of every completion of this queue, without its owner.
    uint32_t signature;
    bool is_broken;
    struct tally tally;
    struct completions completions;
    // The parts of a request that are the same for all frames.
    uint64_t oob;
    uint32_t key;
    uint64_t *doorbell;
    struct free_stack free;
    uint64_t iova;
};

struct creference_mana_transmit *
creference_mana_transmit_create(struct creference_mana_shared shared, uint64_t iova, uint32_t buffers) {
    struct creference_mana_transmit *self = calloc(1, sizeof *self);
    uint64_t *cookies = calloc(shared.units, sizeof *cookies);
    uint8_t *spans = calloc(shared.units, sizeof *spans);
    if (!self || !cookies || !spans) abort();
    self->ring = shared.work;
    self->cookies = cookies;
    self->spans = spans;
    self->units = shared.units;
    self->signature = creference_mana_send_queue | is_send;
    self->completions = completions_of(&shared);
    uint32_t request = (uint32_t)creference_mana_completion_queue << 8;
    uint32_t place = (creference_mana_send_queue >> 10 & 0x3fff) << 10 | (uint32_t)creference_mana_port_offset << 24;
    self->oob = request | (uint64_t)place << 32;
    self->key = creference_mana_memory_key;
    self->doorbell = shared.work_doorbell;
    self->iova = iova;
    free_stack_fill(&self->free, buffers);
    return self;
}

void creference_mana_transmit_destroy(struct creference_mana_transmit *self) {
    free(self->free.numbers);
    free(self->spans);
    free(self->cookies);
    free(self);
}

static inline uint32_t room(const struct creference_mana_transmit *self) {
    return self->units - (self->head - self->clean);
}

static inline void submit(struct creference_mana_transmit *self, uint64_t iova, uint32_t length, uint64_t cookie) {
    uint32_t slot = self->head & (self->units - 1);
    self->cookies[slot] = cookie;
    self->spans[slot] = 1;
    self->ring[slot] = (struct unit){
        .header = work_header,
        .oob = self->oob,
        .address = iova,
        .key_and_length = self->key | (uint64_t)length << 32,
    };
    self->head++;
}

// Counts a completion that is not plain success; whether it ends a request all the same.
static __attribute__((noinline)) bool
account(struct creference_mana_transmit *self, uint32_t tail, uint32_t head, bool is_expected) {
    if ((tail & identity) != self->signature) {
        self->tally.wrong_queue++;
        return false;
    }
    if ((head & client_bits) != network_client) {
        self->tally.unknown++;
        return false;
    }
    if (!is_expected) {
        self->tally.unexpected++;
        return false;
    }
    uint32_t type = head & type_bits;
    if (type > type_sent && type <= 41)
        self->tally.errors++;
    else if (type != type_sent)
        self->tally.unknown++;
    return true;
}

static __attribute__((noinline)) void break_down(struct creference_mana_transmit *self) {
    self->is_broken = true;
    self->tally.overflowed = true;
}

static inline uint32_t reap(struct creference_mana_transmit *self, uint64_t *reaped) {
    if (self->is_broken) return 0;
    struct completions *completions = &self->completions;
    uint32_t index = completions->head;
    uint32_t unit = self->clean;
    uint32_t end = self->head;
    uint32_t found = 0;
    uint32_t useless = 0;
    while (found < burst_limit && useless < patience) {
        const struct completion *completion = completion_at(completions, index);
        uint32_t tail = load_acquire32(&completion->tail);
        if (tail >> owner_shift != lap(index, completions->shift)) {
            if (is_overflow(completions, tail >> owner_shift, index)) break_down(self);
            break;
        }
        uint32_t head = completion->data[0];
        index++;
        bool is_plain = (tail & identity) == self->signature && unit != end
                        && (head & (type_bits | client_bits)) == (type_sent | network_client);
        if (!is_plain && !account(self, tail, head, unit != end)) {
            useless++;
            continue;
        }
        uint32_t slot = unit & (self->units - 1);
        reaped[found++] = self->cookies[slot];
        unit += self->spans[slot];
    }
    completions->head = index;
    self->clean = unit;
    return found;
}

uint64_t creference_mana_transmit_lap(struct creference_mana_transmit *self, uint32_t bursts, uint32_t length) {
    uint64_t sent = 0;
    for (uint32_t burst = 0; burst < bursts; burst++) {
        uint64_t reaped[burst_limit];
        uint32_t done = reap(self, reaped);
        for (uint32_t i = 0; i < done; i++) free_stack_push(&self->free, (uint32_t)reaped[i]);

        uint32_t wanted = smaller(smaller(burst_limit, self->free.count), room(self));
        for (uint32_t i = 0; i < wanted; i++) {
            uint64_t number = free_stack_pop(&self->free);
            submit(self, self->iova + (number << buffer_shift), length, number);
        }
        sent += wanted;
        ring_work(self->doorbell, creference_mana_send_queue, self->head);
        tell_if_overdue(&self->completions);
    }
    return sent;
}
