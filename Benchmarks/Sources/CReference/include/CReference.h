// What the Swift driver is measured against: the same two loops in C, on the same descriptors, and the device that both
// work with. Advanced 16-byte descriptors as in the I225's manual and Linux's igc_base.h (6.12).
#pragma once

#include "CReferenceMANA.h"

#include <stddef.h>
#include <stdint.h>

enum { creference_burst = 32 };

// Memory that driver and device share: a ring, its tail, and whether the device's owner sleeps.
struct creference_shared {
    void *descriptors; // 16 bytes each, aligned to 128
    uint32_t count;    // any multiple of 8
    uint32_t *tail;
    uint32_t *sleeping;
};

// --- The driver's loops. A lap is `bursts` rounds of the owner's loop; buffer number n has the address iova + n * 2048.

struct creference_transmit;

struct creference_transmit *creference_transmit_create(struct creference_shared shared, uint64_t iova, uint32_t buffers);
void creference_transmit_destroy(struct creference_transmit *self);
// Per round: reap up to a burst, put the buffers on the free stack, send up to a burst from it, write the tail once.
// Returns frames sent.
uint64_t creference_transmit_lap(struct creference_transmit *self, uint32_t bursts, uint32_t length);

struct creference_receive;

struct creference_receive *creference_receive_create(struct creference_shared shared, uint64_t iova, uint32_t buffers);
void creference_receive_destroy(struct creference_receive *self);
// Per round: take up to a burst of frames, put their buffers on the free stack, provide as many from it, write the tail.
// Returns the bytes of good frames.
uint64_t creference_receive_lap(struct creference_receive *self, uint32_t bursts);

// --- The device, the same for both languages. It is never timed.

struct creference_device {
    struct creference_shared shared;
    uint32_t head;
    uint64_t completed;
    // Descriptors that were not as the contract wants them.
    uint64_t errors;
    // Of every word that the driver wrote, in order: equal digests, equal work.
    uint64_t digest;
};

// Clears the ring and starts at descriptor 0.
void creference_device_reset(struct creference_device *self, struct creference_shared shared);
// Completes all descriptors before the tail: checks them, sets DD.
void creference_device_transmit(struct creference_device *self, uint32_t length);
// Fills all descriptors before the tail with frames of `length` bytes.
void creference_device_receive(struct creference_device *self, uint32_t length);
