// What the Swift driver of the MANA is measured against: its two loops in C, on the same rings, and the device that both
// work with. Work requests, completions and owner bits as in Linux's gdma.h and mana.h (6.12).
#pragma once

#include <stdint.h>

// Memory that driver and device share: a ring of work requests, one of completions, a doorbell for each.
struct creference_mana {
    void *work;                // basic units of 32 bytes
    uint32_t units;            // a power of two
    void *completions;         // 64 bytes each, aligned to 64
    uint32_t entries;          // a power of two
    uint64_t *work_doorbell;   // id 23:0, tail in bytes 63:32
    uint64_t *entry_doorbell;  // id 23:0, tail 62:32, arm 63
    uint32_t queue;            // id of the work queue
    uint32_t completion_queue; // id of the completion queue
    uint32_t memory_key;
};

// --- The driver's loops. A lap is `bursts` rounds of the owner's loop; buffer number n has the address iova + n * 2048.

struct creference_mana_transmit;

struct creference_mana_transmit *
creference_mana_transmit_create(struct creference_mana shared, uint64_t iova, uint32_t buffers);
void creference_mana_transmit_destroy(struct creference_mana_transmit *self);
// Per round: reap up to a burst, put the buffers on the free stack, send up to a burst from it, ring once; ring for the
// completions when that is due. Returns frames sent.
uint64_t creference_mana_transmit_lap(struct creference_mana_transmit *self, uint32_t bursts, uint32_t length);

struct creference_mana_receive;

struct creference_mana_receive *creference_mana_receive_create(
    struct creference_mana shared, uint64_t iova, uint32_t buffers, uint32_t buffer_bytes
);
void creference_mana_receive_destroy(struct creference_mana_receive *self);
// Per round: take up to a burst of frames, put their buffers on the free stack, provide as many from it, ring as above.
// Returns the bytes of good frames.
uint64_t creference_mana_receive_lap(struct creference_mana_receive *self, uint32_t bursts);

// --- The device, the same for both languages. It is never timed.

struct creference_mana_device {
    struct creference_mana shared;
    uint32_t head;     // of the work ring, bytes
    uint32_t producer; // of the completions
    uint64_t completed;
    // Requests and doorbells that were not as the contract wants them.
    uint64_t errors;
    // Of every word that the driver wrote, in order: equal digests, equal work.
    uint64_t digest;
};

// Clears the rings and starts at their beginning.
void creference_mana_device_reset(struct creference_mana_device *self, struct creference_mana shared);
// Completes all requests before the tail.
void creference_mana_device_transmit(struct creference_mana_device *self, uint32_t length);
// Fills the buffers of all requests before the tail with frames of `length` bytes.
void creference_mana_device_receive(struct creference_mana_device *self, uint32_t length);
