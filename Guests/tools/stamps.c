// Sends frames from one interface to another and asks the cards for their time stamps of each: the stamps must come, once
// per frame, in order, and lie between two readings of the card's own clock that enclose the frame's way.
//
// Source of truth: Documentation/networking/timestamping.rst, linux/net_tstamp.h, linux/errqueue.h, linux/ptp_clock.h.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/errqueue.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>

// Local experimental EtherType 1: no protocol of the stack answers it.
enum { ethertype = 0x88b5, frame_length = 100, sequence_offset = 14, most_frames = 100000, wait_milliseconds = 6000 };

struct card {
    const char *name;
    int socket;
    int clock;
    int index;
    unsigned char address[ETH_ALEN];
};

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("stamps: ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    exit(1);
}

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

static int64_t read_clock(const struct card *card) {
    // How a descriptor of a clock becomes a clock id: the inverse of the kernel's CLOCKID_TO_FD.
    clockid_t id = (~(clockid_t)card->clock << 3) | 3;
    struct timespec now;
    if (clock_gettime(id, &now) != 0) fail("%s: its clock cannot be read: %s", card->name, strerror(errno));
    return nanoseconds(now);
}

static struct card open_card(const char *name, int flags) {
    struct card card = {.name = name};
    struct ifreq request = {0};
    struct ethtool_ts_info info = {.cmd = ETHTOOL_GET_TS_INFO};
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ethertype)};
    char path[32];

    card.socket = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ethertype));
    if (card.socket < 0) fail("no packet socket: %s", strerror(errno));
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(card.socket, SIOCGIFINDEX, &request) != 0) fail("%s: %s", name, strerror(errno));
    card.index = request.ifr_ifindex;
    if (ioctl(card.socket, SIOCGIFHWADDR, &request) != 0) fail("%s: %s", name, strerror(errno));
    memcpy(card.address, request.ifr_hwaddr.sa_data, ETH_ALEN);
    request.ifr_data = (void *)&info;
    if (ioctl(card.socket, SIOCETHTOOL, &request) != 0 || info.phc_index < 0) fail("%s has no clock", name);
    snprintf(path, sizeof path, "/dev/ptp%d", info.phc_index);
    card.clock = open(path, O_RDONLY);
    if (card.clock < 0) fail("%s: %s", path, strerror(errno));
    address.sll_ifindex = card.index;
    if (bind(card.socket, (struct sockaddr *)&address, sizeof address) != 0) fail("%s: %s", name, strerror(errno));
    if (setsockopt(card.socket, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) != 0) {
        fail("%s: SO_TIMESTAMPING: %s", name, strerror(errno));
    }
    return card;
}

// Takes one message from the socket (or its error queue), with its hardware stamp, 0 if it has none. False when none is
// there. On the error queue the counter of the sent frame comes with it.
static bool receive(const struct card *card, int flags, unsigned char *frame, int64_t *stamp, uint32_t *key) {
    char control[512];
    struct iovec vector = {frame, frame_length};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(card->socket, &message, flags) < 0) {
        if (errno == EAGAIN) return false;
        fail("%s: receive: %s", card->name, strerror(errno));
    }
    *stamp = 0;
    *key = UINT32_MAX;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPING) {
            struct scm_timestamping times;
            memcpy(&times, CMSG_DATA(header), sizeof times);
            *stamp = nanoseconds(times.ts[2]);
        } else if (header->cmsg_level == SOL_PACKET && header->cmsg_type == PACKET_TX_TIMESTAMP) {
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(header), sizeof error);
            if (error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) *key = error.ee_data;
        }
    }
    return true;
}

static uint32_t sequence_of(const unsigned char *frame) {
    uint32_t sequence;
    memcpy(&sequence, frame + sequence_offset, sizeof sequence);
    return ntohl(sequence);
}

struct counts {
    uint32_t sent, received, sender_stamps, receiver_stamps, outside, unordered;
    int64_t last_sender, last_receiver, longest_wait;
};

// A stamp must lie after the clock's reading before the frame left, and before the reading now; and after the last one.
static void judge(struct counts *counts, const struct card *card, int64_t stamp, int64_t before, int64_t *last,
                  const char *what, uint32_t sequence) {
    int64_t after = read_clock(card);
    if (stamp < before || stamp > after) {
        if (counts->outside++ < 3) {
            printf("# frame %" PRIu32 ": %s stamp %" PRId64 " is not in %" PRId64 "...%" PRId64 "\n", sequence, what,
                   stamp, before, after);
        }
    }
    if (stamp <= *last) counts->unordered++;
    *last = stamp;
}

static void usage(void) {
    fputs("usage: stamps FROM TO COUNT [none]\n\n"
          "Sends COUNT frames from interface FROM to interface TO, one after another, and expects a hardware stamp of\n"
          "each at both ends; with `none`, at neither. The stamps are switched on and off elsewhere (hwstamp_ctl).\n",
          stderr);
    exit(64);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 4 || argument_count > 5) usage();
    char *end;
    unsigned long frames = strtoul(arguments[3], &end, 10);
    bool none = argument_count == 5;
    if (*end != 0 || frames == 0 || frames > most_frames || (none && strcmp(arguments[4], "none") != 0)) usage();

    int both = SOF_TIMESTAMPING_RAW_HARDWARE;
    struct card from = open_card(arguments[1], both | SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_OPT_ID |
                                                   SOF_TIMESTAMPING_OPT_TSONLY);
    struct card to = open_card(arguments[2], both | SOF_TIMESTAMPING_RX_HARDWARE);
    struct counts counts = {0};
    unsigned char frame[frame_length] = {0};
    memcpy(frame, to.address, ETH_ALEN);
    memcpy(frame + ETH_ALEN, from.address, ETH_ALEN);
    frame[12] = ethertype >> 8;
    frame[13] = ethertype & 0xff;

    for (uint32_t sequence = 0; sequence < frames; sequence++) {
        uint32_t network = htonl(sequence);
        memcpy(frame + sequence_offset, &network, sizeof network);
        int64_t before_from = read_clock(&from), before_to = read_clock(&to);
        if (send(from.socket, frame, sizeof frame, 0) != frame_length) fail("%s: send: %s", from.name, strerror(errno));
        counts.sent++;

        bool arrived = false, stamped = none;
        struct timespec start, now;
        clock_gettime(CLOCK_MONOTONIC, &start);
        do {
            struct pollfd wait[2] = {{.fd = to.socket, .events = POLLIN}, {.fd = from.socket, .events = 0}};
            unsigned char message[frame_length];
            int64_t stamp;
            uint32_t key;
            poll(wait, 2, 50);
            while (receive(&to, 0, message, &stamp, &key)) {
                if (sequence_of(message) != sequence) continue;
                arrived = true;
                counts.received++;
                if (stamp == 0) continue;
                counts.receiver_stamps++;
                judge(&counts, &to, stamp, before_to, &counts.last_receiver, "receive", sequence);
            }
            while (receive(&from, MSG_ERRQUEUE, message, &stamp, &key)) {
                if (key != sequence) {
                    counts.unordered++;
                    continue;
                }
                stamped = true;
                counts.sender_stamps++;
                judge(&counts, &from, stamp, before_from, &counts.last_sender, "transmit", sequence);
            }
            clock_gettime(CLOCK_MONOTONIC, &now);
        } while (!(arrived && stamped) && nanoseconds(now) - nanoseconds(start) < (int64_t)wait_milliseconds * 1000000);
        if (nanoseconds(now) - nanoseconds(start) > counts.longest_wait) {
            counts.longest_wait = nanoseconds(now) - nanoseconds(start);
        }
        if (!arrived || !stamped) break;
    }

    printf("# sent %" PRIu32 ", arrived %" PRIu32 ", transmit stamps %" PRIu32 ", receive stamps %" PRIu32
           ", longest wait %.1f ms\n",
           counts.sent, counts.received, counts.sender_stamps, counts.receiver_stamps, counts.longest_wait / 1e6);
    uint32_t expected = none ? 0 : (uint32_t)frames;
    if (counts.received != frames) fail("%" PRIu32 " of %lu frames arrived", counts.received, frames);
    if (counts.sender_stamps != expected) fail("%" PRIu32 " transmit stamps, not %" PRIu32, counts.sender_stamps, expected);
    if (counts.receiver_stamps != expected) fail("%" PRIu32 " receive stamps, not %" PRIu32, counts.receiver_stamps, expected);
    if (counts.outside != 0) fail("%" PRIu32 " stamps outside the card's own time", counts.outside);
    if (counts.unordered != 0) fail("%" PRIu32 " stamps out of order", counts.unordered);
    return 0;
}
