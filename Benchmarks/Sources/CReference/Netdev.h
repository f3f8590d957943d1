// The words of the service: what any card says of a frame that it received, and what it is lent to receive into.
#pragma once

#include <stdbool.h>
#include <stdint.h>

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
