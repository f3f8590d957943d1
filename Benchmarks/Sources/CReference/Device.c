// The device that both loops work with: it takes what the tail gives it and completes it, in order, at once.

#include "Ring.h"

#include <string.h>

void creference_device_reset(struct creference_device *self, struct creference_shared shared) {
    memset(shared.descriptors, 0, shared.count * sizeof(struct descriptor));
    __atomic_store_n(shared.tail, 0, __ATOMIC_SEQ_CST);
    *self = (struct creference_device){.shared = shared, .digest = 1};
}

static void digest(struct creference_device *self, uint64_t word) {
    self->digest = (self->digest ^ word) * 0x9e3779b97f4a7c15ull;
}

void creference_device_transmit(struct creference_device *self, uint32_t length) {
    struct descriptor *ring = self->shared.descriptors;
    uint32_t tail = __atomic_load_n(self->shared.tail, __ATOMIC_ACQUIRE);
    uint64_t expected = transmit_command | length | (uint64_t)length << 46;
    for (; self->head != tail; self->head = following(self->head, self->shared.count)) {
        struct descriptor *descriptor = &ring[self->head];
        if (descriptor->high != expected) self->errors++;
        digest(self, descriptor->low);
        digest(self, descriptor->high);
        store_release(&descriptor->high, descriptor->high | transmit_done);
        self->completed++;
    }
}

void creference_device_receive(struct creference_device *self, uint32_t length) {
    struct descriptor *ring = self->shared.descriptors;
    uint32_t tail = __atomic_load_n(self->shared.tail, __ATOMIC_ACQUIRE);
    // The slot at the tail is the driver's: an old length there would be taken for a frame.
    if (ring[tail].high != 0) self->errors++;
    for (; self->head != tail; self->head = following(self->head, self->shared.count)) {
        struct descriptor *descriptor = &ring[self->head];
        if (descriptor->high != 0) self->errors++;
        digest(self, descriptor->low);
        descriptor->low = self->completed << 32 | 1;
        store_release(
            &descriptor->high, receive_done | receive_end_of_packet | receive_tcp_checked | (uint64_t)length << 32
        );
        self->completed++;
    }
}
