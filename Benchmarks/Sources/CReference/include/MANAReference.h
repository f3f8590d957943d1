// What the MANA driver's loops are measured against: the same two in C, on the same rings, and the device that both work
// with. Work requests, completions and doorbells as in Linux's gdma.h and mana.h (6.12 and 7.x).
#pragma once

#include <stdint.h>

// Memory that driver and device share: a work ring, the ring of its completions, and the doorbells of both.
struct creference_mana_shared {
    void *work; // units of 32 bytes
    uint32_t units;
    void *completions; // of 64 bytes, zero at the beginning
    uint32_t entries;
    uint64_t *work_doorbell;
    uint64_t *completion_doorbell;
};

// Numbers of the queues, and the key of all memory.
enum {
    creference_mana_send_queue = 0x1234,
    creference_mana_receive_queue = 0x1235,
    creference_mana_completion_queue = 0x55,
    creference_mana_memory_key = 0x77,
    creference_mana_port_offset = 3,
};

// --- The driver's loops. A lap is `bursts` rounds of the owner's loop; buffer number n has the address iova + n * 2048.

struct creference_mana_transmit;

struct creference_mana_transmit *
creference_mana_transmit_create(struct creference_mana_shared shared, uint64_t iova, uint32_t buffers);
void creference_mana_transmit_destroy(struct creference_mana_transmit *self);
// Per round: reap up to a burst, put the buffers on the free stack, send up to a burst from it, ring once; and tell how far
// the completions have been read where that is overdue. Returns frames sent.
uint64_t creference_mana_transmit_lap(struct creference_mana_transmit *self, uint32_t bursts, uint32_t length);

struct creference_mana_receive;

struct creference_mana_receive *creference_mana_receive_create(
    struct creference_mana_shared shared, uint64_t iova, uint32_t buffers, uint32_t buffer_bytes
);
void creference_mana_receive_destroy(struct creference_mana_receive *self);
// Per round: take up to a burst of frames, put their buffers on the free stack, provide as many from it, ring. Returns the
// bytes of good frames.
uint64_t creference_mana_receive_lap(struct creference_mana_receive *self, uint32_t bursts);

// --- The device, the same for both languages. It is never timed.

struct creference_mana_device {
    struct creference_mana_shared shared;
    uint32_t unit;
    uint32_t completion;
    uint64_t completed;
    // Requests that were not as the contract wants them, and doorbells.
    uint64_t errors;
    // Of every word that the driver wrote, in order: equal digests, equal work.
    uint64_t digest;
};

// Clears the rings and starts at their beginning.
void creference_mana_device_reset(struct creference_mana_device *self, struct creference_mana_shared shared);
// Completes all requests before the tail: checks them, writes a completion each.
void creference_mana_device_transmit(struct creference_mana_device *self, uint32_t length);
// Fills all buffers before the tail with frames of `length` bytes, TCP over IPv4, hashed and checked.
void creference_mana_device_receive(struct creference_mana_device *self, uint32_t length, uint32_t buffer_bytes);
