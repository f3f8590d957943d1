// What both loops of the driver use.
#pragma once

#include "FreeStack.h"
#include "Ring.h"

// A doorbell in shared memory. Sequentially consistent: the device's owner must not fall asleep on a tail unseen. No
// device sleeps in the measurement, so there is nobody to wake.
static inline void ring_tail(const struct creference_shared *shared, uint32_t tail) {
    __atomic_store_n(shared->tail, tail, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(shared->sleeping, __ATOMIC_SEQ_CST) != 0) abort();
}
