// What the loops and the device agree on.
#pragma once

#include "CReference.h"

#include <stdatomic.h>
#include <stdbool.h>

// The half that changes the owner is read with acquire. What a driver writes it owns until the tail says otherwise, so
// plain stores do, as in Linux.
struct descriptor {
    uint64_t low;
    uint64_t high;
};

static inline uint64_t load_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline void store_release(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

static inline uint32_t following(uint32_t index, uint32_t count) { return index + 1 == count ? 0 : index + 1; }

// DTYP data, DEXT, RS, IFCS, EOP.
static const uint64_t transmit_command = 0x2b300000;
static const uint64_t transmit_done = 1ull << 32;

static const uint64_t receive_done = 1ull << 0;
static const uint64_t receive_end_of_packet = 1ull << 1;
static const uint64_t receive_ignore_checksum = 1ull << 2;
static const uint64_t receive_vlan_stripped = 1ull << 3;
static const uint64_t receive_udp_checked = 1ull << 4;
static const uint64_t receive_tcp_checked = 1ull << 5;
static const uint64_t receive_stamped = 1ull << 15;
static const uint64_t receive_looped_back = 1ull << 18;
static const uint64_t receive_transport_error = 1ull << 29;
static const uint64_t receive_ip_error = 1ull << 30;
static const uint64_t receive_error = 1ull << 31;
