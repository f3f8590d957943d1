// What the loops and the device agree on.
#pragma once

#include "../include/MANAReference.h"

#include <stdbool.h>

// A basic unit of a work ring: what a driver writes it owns until the doorbell says otherwise, so plain stores do.
struct unit {
    uint64_t header; // dword 0, dword 1
    uint64_t oob;
    uint64_t address;
    uint64_t key_and_length;
};

// 15 dwords of data, and the one that changes the owner, which is written with release and read with acquire.
struct completion {
    uint32_t data[15];
    uint32_t tail;
};

static inline uint32_t load_acquire32(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline void store_release32(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

// One piece, 8 bytes of out-of-band data: in line to send, nothing to receive.
static const uint64_t work_header = 0x201ull << 32;

static const uint32_t owner_shift = 29;
static const uint32_t is_send = 1u << 24;
// Of dword 15: all but the reserved bits and the owner.
static const uint32_t identity = 0x01ffffff;

static const uint32_t type_received = 1;
static const uint32_t type_received_four = 2;
static const uint32_t type_fence = 3;
static const uint32_t type_truncated = 4;
static const uint32_t type_received_eight = 7;
static const uint32_t type_sent = 32;
static const uint32_t type_bits = 0x3f;
static const uint32_t network_client = 1u << 6;
static const uint32_t client_bits = 3u << 6;

static const uint32_t verdict_has_vlan = 1u << 12;
static const uint32_t verdict_ip_good = 1u << 25;
static const uint32_t verdict_tcp_good = 1u << 27;
static const uint32_t verdict_udp_good = 1u << 29;
static const uint32_t verdict_hash_tcp4 = 2u << 16;

// The rule of owner bits: indices count up from the number of entries, a power of two; the lap is the owner.
static inline uint32_t lap(uint32_t index, uint32_t shift) { return index >> shift & 7; }

static inline uint32_t log2_of(uint32_t count) { return (uint32_t)__builtin_ctz(count); }
