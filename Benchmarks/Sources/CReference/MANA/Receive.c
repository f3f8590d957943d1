// The Rx loop: completions up as frames, fresh buffers into the ring. Buffers come back in the order in which they were
// given, whatever a completion says of its request's place (mana_process_rx_cqe, Linux 6.12).

#include "Driver.h"

struct received_frame {
    uint64_t cookie;
    uint32_t length;
    bool continues;
    bool checksum_is_good;
    bool has_timestamp;
    bool is_damaged;
    uint16_t vlan_tag;
    bool has_vlan_tag;
    uint32_t hash;
    uint8_t hash_type;
};

struct buffer {
    uint64_t iova;
    uint64_t cookie;
};

struct tally {
    uint32_t unknown;
    uint32_t wrong_queue;
    uint32_t unexpected;
    uint32_t empty;
    uint32_t damaged;
    uint32_t fences;
    bool overflowed;
};

struct creference_mana_receive {
    struct unit *ring;
    uint64_t *cookies;
    uint32_t units;
    uint32_t head;
    uint32_t clean;
    uint32_t signature;
    bool is_broken;
    struct tally tally;
    struct completions completions;
    // The second quadword of every piece.
    uint64_t key_and_length;
    uint32_t buffer_bytes;
    uint64_t *doorbell;
    struct free_stack free;
    uint64_t iova;
};

struct creference_mana_receive *creference_mana_receive_create(
    struct creference_mana_shared shared, uint64_t iova, uint32_t buffers, uint32_t buffer_bytes
) {
    struct creference_mana_receive *self = calloc(1, sizeof *self);
    uint64_t *cookies = calloc(shared.units, sizeof *cookies);
    if (!self || !cookies) abort();
    self->ring = shared.work;
    self->cookies = cookies;
    self->units = shared.units;
    self->signature = creference_mana_receive_queue;
    self->completions = completions_of(&shared);
    self->key_and_length = creference_mana_memory_key | (uint64_t)buffer_bytes << 32;
    self->buffer_bytes = buffer_bytes;
    self->doorbell = shared.work_doorbell;
    self->iova = iova;
    free_stack_fill(&self->free, buffers);
    return self;
}

void creference_mana_receive_destroy(struct creference_mana_receive *self) {
    free(self->free.numbers);
    free(self->cookies);
    free(self);
}

static inline uint32_t room(const struct creference_mana_receive *self) {
    return self->units - (self->head - self->clean);
}

static inline uint32_t provide(struct creference_mana_receive *self, const struct buffer *buffers, uint32_t limit) {
    uint32_t provided = smaller(limit, room(self));
    uint32_t unit = self->head;
    for (uint32_t i = 0; i < provided; i++, unit++) {
        uint32_t slot = unit & (self->units - 1);
        self->cookies[slot] = buffers[i].cookie;
        self->ring[slot] = (struct unit){
            .header = work_header,
            .oob = 0,
            .address = buffers[i].iova,
            .key_and_length = self->key_and_length,
        };
    }
    self->head = unit;
    return provided;
}

// A frame in the words of a network stack. A checksum is good that the device found right in both headers.
static inline struct received_frame frame_of(
    struct creference_mana_receive *self, uint32_t unit, uint32_t length, uint32_t hash, uint32_t verdict, bool is_whole
) {
    uint64_t cookie = self->cookies[unit & (self->units - 1)];
    if (!is_whole || length == 0 || length > self->buffer_bytes) {
        if (length == 0)
            self->tally.empty++;
        else
            self->tally.damaged++;
        return (struct received_frame){.cookie = cookie, .length = length, .is_damaged = true};
    }
    uint32_t types = verdict >> 16 & 0x1ff;
    return (struct received_frame){
        .cookie = cookie,
        .length = length,
        .checksum_is_good = (verdict & verdict_ip_good) && (verdict & (verdict_tcp_good | verdict_udp_good)),
        .has_vlan_tag = verdict & verdict_has_vlan,
        .vlan_tag = verdict & 0xfff,
        .hash = types ? hash : 0,
        .hash_type = types ? (uint8_t)(__builtin_ctz(types) + 1) : 0,
    };
}

// How many frames a completion can hold that is not of one whole frame of this queue.
static __attribute__((noinline)) uint32_t capacity(struct creference_mana_receive *self, uint32_t tail, uint32_t type) {
    if ((tail & identity) != self->signature) {
        self->tally.wrong_queue++;
        return 0;
    }
    if (type == type_received_four) return 4;
    if (type == type_received_eight) return 8;
    if (type == type_truncated) return 1;
    if (type == type_fence)
        self->tally.fences++;
    else
        self->tally.unknown++;
    return 0;
}

// Length and hash of frame `item` of a completion of several.
static __attribute__((noinline)) uint32_t
item_of(const struct completion *completion, uint32_t item, bool is_of_eight, uint32_t *hash) {
    if (!is_of_eight) {
        *hash = completion->data[4 + 3 * item];
        return completion->data[2 + 3 * item] & 0xffff;
    }
    uint32_t word = 2 + 3 * (item >> 1);
    *hash = completion->data[item & 1 ? word + 2 : word];
    return item & 1 ? completion->data[word + 1] >> 16 : completion->data[word + 1] & 0xffff;
}

static __attribute__((noinline)) void break_down(struct creference_mana_receive *self) {
    self->is_broken = true;
    self->tally.overflowed = true;
}

static inline uint32_t reap(struct creference_mana_receive *self, struct received_frame *frames) {
    if (self->is_broken) return 0;
    struct completions *completions = &self->completions;
    uint32_t index = completions->head;
    uint32_t unit = self->clean;
    uint32_t end = self->head;
    uint32_t found = 0;
    uint32_t useless = 0;
    while (useless < patience) {
        const struct completion *completion = completion_at(completions, index);
        uint32_t tail = load_acquire32(&completion->tail);
        if (tail >> owner_shift != lap(index, completions->shift)) {
            if (is_overflow(completions, tail >> owner_shift, index)) break_down(self);
            break;
        }
        uint32_t type = completion->data[0] & type_bits;
        uint32_t verdict = completion->data[1];
        if ((tail & identity) != self->signature || type != type_received) {
            uint32_t several = capacity(self, tail, type);
            // All frames of a completion leave in one burst.
            if (found + several > burst_limit) break;
            for (uint32_t item = 0; item < several; item++) {
                uint32_t hash;
                uint32_t length = item_of(completion, item, type == type_received_eight, &hash);
                if (length == 0 && item > 0) break;
                if (unit == end) {
                    self->tally.unexpected++;
                    break;
                }
                frames[found++] = frame_of(self, unit++, length, hash, verdict, type != type_truncated);
            }
            index++;
            if (several == 0) useless++;
            continue;
        }
        if (found >= burst_limit) break;
        index++;
        if (unit == end) {
            self->tally.unexpected++;
            useless++;
            continue;
        }
        frames[found++] = frame_of(self, unit++, completion->data[2] & 0xffff, completion->data[4], verdict, true);
    }
    completions->head = index;
    self->clean = unit;
    return found;
}

uint64_t creference_mana_receive_lap(struct creference_mana_receive *self, uint32_t bursts) {
    uint64_t bytes = 0;
    for (uint32_t burst = 0; burst < bursts; burst++) {
        struct received_frame frames[burst_limit];
        uint32_t found = reap(self, frames);
        for (uint32_t i = 0; i < found; i++) {
            if (!frames[i].continues && !frames[i].is_damaged) bytes += frames[i].length;
            free_stack_push(&self->free, (uint32_t)frames[i].cookie);
        }

        struct buffer buffers[burst_limit];
        uint32_t wanted = smaller(smaller(burst_limit, self->free.count), room(self));
        for (uint32_t i = 0; i < wanted; i++) {
            uint64_t number = free_stack_pop(&self->free);
            buffers[i] = (struct buffer){self->iova + (number << buffer_shift), number};
        }
        provide(self, buffers, wanted);
        ring_work(self->doorbell, creference_mana_receive_queue, self->head);
        tell_if_overdue(&self->completions);
    }
    return bytes;
}
