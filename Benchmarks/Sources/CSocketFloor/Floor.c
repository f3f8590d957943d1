// The server of the floor: finds where messages begin and end, and answers. Nothing that can be left out is here.

#define _GNU_SOURCE
#include "CSocketFloor.h"
#include "Socket.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

// As much as a vfio-user server takes at once, unless a message is longer.
enum { usual_room = 64 << 10 };

struct csocket_floor {
    pthread_t thread;
    int client, server;
    uint32_t reply_bytes;
    uint64_t messages;
    uint64_t room;
    char *reply;
    char *received;
};

// Answers all whole messages among the `count` bytes received; how many bytes those were, or a negated errno.
static int64_t answer(struct csocket_floor *self, uint64_t count) {
    uint64_t done = 0;
    struct header header;
    while (count - done >= sizeof header) {
        memcpy(&header, self->received + done, sizeof header);
        if (header.size < sizeof header || header.size > self->room) return -EPROTO;
        if (count - done < header.size) break;
        done += header.size;
        self->messages++;
        if (header.flags & flag_no_reply) continue;
        header.size = self->reply_bytes;
        header.flags = flag_reply;
        memcpy(self->reply, &header, sizeof header);
        int64_t failure = send_all(self->server, self->reply, self->reply_bytes);
        if (failure) return failure;
    }
    return done;
}

static void *serve(void *argument) {
    struct csocket_floor *self = argument;
    uint64_t count = 0;
    for (;;) {
        int64_t received = receive_some(self->server, self->received + count, self->room - count);
        if (received < 0) return NULL;
        if (received == 0) {
            spin();
            continue;
        }
        count += received;
        int64_t done = answer(self, count);
        if (done < 0) return NULL;
        count -= done;
        if (count > 0 && done > 0) memmove(self->received, self->received + done, count);
    }
}

struct csocket_floor *csocket_floor_start(int cpu, uint32_t request_bytes, uint32_t reply_bytes, int *client) {
    int pair[2];
    if (reply_bytes < sizeof(struct header)) return NULL;
    struct csocket_floor *self = calloc(1, sizeof *self);
    char *reply = malloc(reply_bytes);
    uint64_t room = request_bytes > usual_room ? request_bytes : usual_room;
    char *received = malloc(room);
    if (!self || !reply || !received || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        free(self);
        free(reply);
        free(received);
        return NULL;
    }
    // Memory that was never written is one page of zeroes, over and over: reading it costs nothing.
    memset(reply, 0x5a, reply_bytes);
    // Nor does the first touch of a page belong to any message.
    memset(received, 0x5a, room);
    self->room = room;
    self->received = received;
    self->client = *client = pair[0];
    self->server = pair[1];
    self->reply_bytes = reply_bytes;
    self->reply = reply;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setaffinity_np(&attributes, sizeof cpus, &cpus);
    int failure = pthread_create(&self->thread, &attributes, serve, self);
    pthread_attr_destroy(&attributes);
    if (!failure) return self;
    close(pair[0]);
    close(pair[1]);
    free(reply);
    free(received);
    free(self);
    return NULL;
}

uint64_t csocket_floor_stop(struct csocket_floor *self) {
    close(self->client);
    pthread_join(self->thread, NULL);
    close(self->server);
    uint64_t messages = self->messages;
    free(self->reply);
    free(self->received);
    free(self);
    return messages;
}
