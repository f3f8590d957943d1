// One AF_XDP socket in zero-copy mode on queue 0 of a card, for questions about the card's driver:
//
//   xsk-trial transmit INTERFACE COUNT          COUNT frames at once; how many come back as completed, and in what order
//   xsk-trial receive INTERFACE SENDER CHUNK LENGTH COUNT
//                                               COUNT frames of LENGTH bytes by the interface SENDER; how many
//                                               descriptors come for them, in an umem of CHUNK-byte chunks
//
// Prints name=value words on one line. Ends with 0 if the trial could be made, whatever came out.
// Source of truth: linux/if_xdp.h, linux/bpf.h, Documentation/networking/af_xdp.rst.

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>

enum { umem_bytes = 16 << 20, ring_entries = 2048, ethertype = 0x88b5, quiet_milliseconds = 3000 };

struct ring {
    uint32_t *producer, *consumer, *flags;
    void *entries;
};

static struct {
    int socket;
    unsigned char *umem;
    struct ring fill, completion, receive, transmit;
    unsigned char address[ETH_ALEN];
} xsk;

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("xsk-trial: ", stdout);
    vprintf(format, arguments);
    printf(": %s\n", strerror(errno));
    va_end(arguments);
    exit(1);
}

static int bpf(int command, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static int64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct ring map_ring(off_t place, struct xdp_ring_offset offset, size_t entry_bytes) {
    unsigned char *base = mmap(NULL, offset.desc + ring_entries * entry_bytes, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_POPULATE, xsk.socket, place);
    if (base == MAP_FAILED) fail("a ring cannot be mapped");
    return (struct ring){(void *)(base + offset.producer), (void *)(base + offset.consumer),
                         (void *)(base + offset.flags), base + offset.desc};
}

// The program hands every frame of a queue to the socket that the map has for it, or lets it pass.
static void attach_program(unsigned interface) {
    union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = 4};
    int map = bpf(BPF_MAP_CREATE, &attributes);
    if (map < 0) fail("no map of sockets");
    uint32_t queue = 0;
    attributes = (union bpf_attr){.map_fd = (uint32_t)map, .key = (uintptr_t)&queue, .value = (uintptr_t)&xsk.socket};
    if (bpf(BPF_MAP_UPDATE_ELEM, &attributes) != 0) fail("the socket does not go into the map");

    struct bpf_insn program[] = {
        {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 16},  // rx_queue_index
        {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
        {.code = BPF_JMP | BPF_EXIT},
    };
    attributes = (union bpf_attr){.prog_type = BPF_PROG_TYPE_XDP,
                                  .expected_attach_type = BPF_XDP,
                                  .insn_cnt = sizeof program / sizeof *program,
                                  .insns = (uintptr_t)program,
                                  .license = (uintptr_t)"GPL"};
    int loaded = bpf(BPF_PROG_LOAD, &attributes);
    if (loaded < 0) fail("the program is refused");
    attributes = (union bpf_attr){
        .link_create = {.prog_fd = (uint32_t)loaded, .target_ifindex = interface, .attach_type = BPF_XDP}};
    if (bpf(BPF_LINK_CREATE, &attributes) < 0) fail("the program cannot be attached");
}

static void hardware_address(int socket, const char *name, unsigned char address[ETH_ALEN]) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(socket, SIOCGIFHWADDR, &request) != 0) fail("%s has no address", name);
    memcpy(address, request.ifr_hwaddr.sa_data, ETH_ALEN);
}

static bool has_carrier(const char *name) {
    char path[64], value = 0;
    snprintf(path, sizeof path, "/sys/class/net/%s/carrier", name);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    if (fread(&value, 1, 1, file) != 1) value = 0;
    fclose(file);
    return value == '1';
}

static void await_carrier(const char *name) {
    // The driver resets the card when a program or a pool comes, and the link goes with it.
    int64_t end = milliseconds() + 20000;
    while (!has_carrier(name)) {
        if (milliseconds() > end) fail("%s has no carrier", name);
        usleep(100000);
    }
    usleep(500000);
}

static void open_socket(const char *name, uint32_t chunk) {
    unsigned interface = if_nametoindex(name);
    if (!interface) fail("%s", name);
    xsk.socket = socket(AF_XDP, SOCK_RAW, 0);
    if (xsk.socket < 0) fail("no AF_XDP socket");
    xsk.umem = mmap(NULL, umem_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (xsk.umem == MAP_FAILED) fail("no memory");
    struct xdp_umem_reg umem = {.addr = (uintptr_t)xsk.umem, .len = umem_bytes, .chunk_size = chunk};
    if (setsockopt(xsk.socket, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem) != 0) fail("the umem is refused");
    int entries = ring_entries;
    for (int option = XDP_RX_RING; option <= XDP_UMEM_COMPLETION_RING; option++) {
        if (option == XDP_UMEM_REG) continue;
        if (setsockopt(xsk.socket, SOL_XDP, option, &entries, sizeof entries) != 0) fail("ring %d is refused", option);
    }
    struct xdp_mmap_offsets offsets;
    socklen_t size = sizeof offsets;
    if (getsockopt(xsk.socket, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) != 0) fail("no offsets of the rings");
    xsk.fill = map_ring((off_t)XDP_UMEM_PGOFF_FILL_RING, offsets.fr, 8);
    xsk.completion = map_ring((off_t)XDP_UMEM_PGOFF_COMPLETION_RING, offsets.cr, 8);
    xsk.receive = map_ring(XDP_PGOFF_RX_RING, offsets.rx, sizeof(struct xdp_desc));
    xsk.transmit = map_ring((off_t)XDP_PGOFF_TX_RING, offsets.tx, sizeof(struct xdp_desc));
    // The upper half of the umem is for frames that arrive.
    for (uint32_t index = 0; index < ring_entries; index++) {
        uint64_t place = umem_bytes / 2 + (uint64_t)index * chunk;
        if (place + chunk > umem_bytes) break;
        ((uint64_t *)xsk.fill.entries)[index] = place;
        __atomic_store_n(xsk.fill.producer, index + 1, __ATOMIC_RELEASE);
    }
    struct sockaddr_xdp address = {.sxdp_family = AF_XDP,
                                   .sxdp_ifindex = interface,
                                   .sxdp_queue_id = 0,
                                   .sxdp_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP};
    if (bind(xsk.socket, (struct sockaddr *)&address, sizeof address) != 0) fail("no zero-copy on %s", name);
    attach_program(interface);
    int other = socket(AF_PACKET, SOCK_RAW, 0);
    hardware_address(other, name, xsk.address);
    close(other);
    await_carrier(name);
}

static void wake(void) {
    // EAGAIN and EBUSY say that it is being done.
    if (sendto(xsk.socket, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY &&
        errno != ENOBUFS && errno != ENETDOWN)
        fail("the wake-up is refused");
}

static void write_frame(unsigned char *frame, const unsigned char *from, uint32_t length, uint32_t number) {
    memset(frame, 0xff, ETH_ALEN);
    memcpy(frame + ETH_ALEN, from, ETH_ALEN);
    frame[12] = ethertype >> 8;
    frame[13] = ethertype & 0xff;
    memset(frame + 14, 0x5a, length - 14);
    memcpy(frame + 14, &number, sizeof number);
}

static int transmit(const char *name, uint32_t count) {
    enum { chunk = 4096, length = 100 };
    if (count > ring_entries || (uint64_t)count * chunk > umem_bytes / 2) {
        errno = E2BIG;
        fail("at most %d frames", umem_bytes / 2 / chunk);
    }
    open_socket(name, chunk);
    struct xdp_desc *descriptors = xsk.transmit.entries;
    for (uint32_t number = 0; number < count; number++) {
        write_frame(xsk.umem + (uint64_t)number * chunk, xsk.address, length, number);
        descriptors[number] = (struct xdp_desc){.addr = (uint64_t)number * chunk, .len = length};
    }
    __atomic_store_n(xsk.transmit.producer, count, __ATOMIC_RELEASE);

    uint32_t completed = 0, out_of_order = 0, repeated = 0;
    static bool seen[ring_entries];
    int64_t quiet_since = milliseconds();
    while (completed < count && milliseconds() - quiet_since < quiet_milliseconds) {
        wake();
        uint32_t produced = __atomic_load_n(xsk.completion.producer, __ATOMIC_ACQUIRE);
        if (produced == completed) {
            usleep(1000);
            continue;
        }
        quiet_since = milliseconds();
        while (completed != produced) {
            uint64_t place = ((uint64_t *)xsk.completion.entries)[completed % ring_entries] / chunk;
            if (place != completed) out_of_order++;
            if (place < ring_entries && seen[place]) repeated++;
            if (place < ring_entries) seen[place] = true;
            completed++;
        }
        __atomic_store_n(xsk.completion.consumer, completed, __ATOMIC_RELEASE);
    }
    uint32_t taken = __atomic_load_n(xsk.transmit.consumer, __ATOMIC_ACQUIRE);
    printf("submitted=%u taken=%u completed=%u out_of_order=%u repeated=%u\n", count, taken, completed, out_of_order,
           repeated);
    return 0;
}

static int receive(const char *name, const char *sender, uint32_t chunk, uint32_t length, uint32_t count) {
    open_socket(name, chunk);
    await_carrier(sender);
    int out = socket(AF_PACKET, SOCK_RAW, 0);
    unsigned char from[ETH_ALEN], frame[ETH_FRAME_LEN];
    hardware_address(out, sender, from);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(sender), .sll_halen = ETH_ALEN};
    if (length < 60 || length > sizeof frame) fail("a frame has 60 to %zu bytes, not %u", sizeof frame, length);

    uint32_t descriptors = 0, whole = 0, continued = 0, others = 0;
    for (uint32_t number = 0; number < count; number++) {
        write_frame(frame, from, length, number);
        if (sendto(out, frame, length, 0, (struct sockaddr *)&to, sizeof to) < 0) fail("%s does not send", sender);
        int64_t end = milliseconds() + 300;
        while (milliseconds() < end) {
            uint32_t produced = __atomic_load_n(xsk.receive.producer, __ATOMIC_ACQUIRE);
            for (; *xsk.receive.consumer != produced; __atomic_fetch_add(xsk.receive.consumer, 1, __ATOMIC_RELEASE)) {
                struct xdp_desc *got = (struct xdp_desc *)xsk.receive.entries + *xsk.receive.consumer % ring_entries;
                const unsigned char *bytes = xsk.umem + got->addr;
                bool is_first = got->len >= 14 && bytes[12] == ethertype >> 8 && bytes[13] == (ethertype & 0xff);
                bool is_rest = got->len > 0 && bytes[0] == 0x5a;
                if (is_first || is_rest) {
                    descriptors++;
                    if (got->len == length) whole++;
                    if (got->options & 1) continued++;  // XDP_PKT_CONTD
                } else {
                    others++;
                }
            }
            struct pollfd wait = {.fd = xsk.socket, .events = POLLIN};
            poll(&wait, 1, 10);
        }
    }
    printf("sent=%u descriptors=%u whole=%u continued=%u others=%u\n", count, descriptors, whole, continued, others);
    return 0;
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "transmit") == 0) return transmit(words[2], (uint32_t)atoi(words[3]));
    if (count == 7 && strcmp(words[1], "receive") == 0)
        return receive(words[2], words[3], (uint32_t)atoi(words[4]), (uint32_t)atoi(words[5]), (uint32_t)atoi(words[6]));
    fputs("usage: xsk-trial transmit INTERFACE COUNT | receive INTERFACE SENDER CHUNK LENGTH COUNT\n", stderr);
    return 64;
}
