// The floor that vfio-user is measured against: messages of its sizes over a Unix stream socket, in C, with one sendmsg
// and one recvmsg for each, both ends spinning on calls that do not wait. The same client talks to the floor's server and
// to a vfio-user server, so what differs is the server. Header and commands as in the vfio-user protocol specification.
//
// Failures are negated errno values; -EPROTO is a reply that does not look as it must.
#pragma once

#include <stdint.h>

// --- The client's end.

// A command that is sent again and again, and its reply.
struct csocket_exchange {
    const void *request;
    uint32_t request_bytes;
    // Room for the reply. After a call, the last reply.
    void *reply;
    uint32_t reply_bytes;
};

// `count` times: sends the request, waits for the reply, checks its header. The nanoseconds that took.
int64_t csocket_round_trips(int socket, struct csocket_exchange exchange, uint64_t count);

// Sends `count` times `message`, which gets no reply, each with a sendmsg of its own, then makes one round trip: when its
// reply is there, everything before has been handled. The nanoseconds that took.
int64_t csocket_posts(
    int socket, const void *message, uint32_t message_bytes, struct csocket_exchange last, uint64_t count
);

// The two halves of a round trip, for a client and a server on one thread.
int csocket_send(int socket, struct csocket_exchange exchange);
int csocket_receive(int socket, struct csocket_exchange exchange);

// Agrees on version 0.0 with a vfio-user server, WRITE_MULTI included.
int csocket_negotiate(int socket);

// --- The floor's server.

struct csocket_floor;

// Starts a thread on `cpu` that answers each message that wants a reply with `reply_bytes` bytes, and does nothing else.
// Messages have at most `request_bytes`. Two connected sockets: `*client` is the caller's.
struct csocket_floor *csocket_floor_start(int cpu, uint32_t request_bytes, uint32_t reply_bytes, int *client);
// Closes `client`, ends the thread and waits for it. The messages that it received.
uint64_t csocket_floor_stop(struct csocket_floor *self);
