// The client's end: the same against the floor and against vfio-user.

#include "CSocketFloor.h"
#include "Socket.h"

#include <time.h>

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static inline int64_t send_request(int socket, const struct csocket_exchange *exchange) {
    return send_all(socket, exchange->request, exchange->request_bytes);
}

static inline int64_t receive_reply(int socket, const struct csocket_exchange *exchange) {
    int64_t failure = receive_all(socket, exchange->reply, exchange->reply_bytes);
    if (failure) return failure;
    struct header request, reply;
    memcpy(&request, exchange->request, sizeof request);
    memcpy(&reply, exchange->reply, sizeof reply);
    int right = reply.identifier == request.identifier && reply.command == request.command
        && reply.size == exchange->reply_bytes && reply.flags == flag_reply;
    return right ? 0 : -EPROTO;
}

static int64_t round_trip(int socket, const struct csocket_exchange *exchange) {
    int64_t failure = send_request(socket, exchange);
    return failure ? failure : receive_reply(socket, exchange);
}

int csocket_send(int socket, struct csocket_exchange exchange) { return (int)send_request(socket, &exchange); }

int csocket_receive(int socket, struct csocket_exchange exchange) { return (int)receive_reply(socket, &exchange); }

int64_t csocket_round_trips(int socket, struct csocket_exchange exchange, uint64_t count) {
    int64_t start = nanoseconds();
    for (uint64_t number = 0; number < count; number++) {
        int64_t failure = round_trip(socket, &exchange);
        if (failure) return failure;
    }
    return nanoseconds() - start;
}

int64_t csocket_posts(
    int socket, const void *message, uint32_t message_bytes, struct csocket_exchange last, uint64_t count
) {
    int64_t start = nanoseconds();
    for (uint64_t number = 0; number < count; number++) {
        int64_t failure = send_all(socket, message, message_bytes);
        if (failure) return failure;
    }
    int64_t failure = round_trip(socket, &last);
    if (failure) return failure;
    return nanoseconds() - start;
}

int csocket_negotiate(int socket) {
    static const char json[] = "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
                               "\"write_multiple\":true}}";
    struct {
        struct header header;
        uint16_t major, minor;
        char json[sizeof json];
    } request = {.header = {.identifier = 1, .command = 1, .size = sizeof(struct header) + 4 + sizeof json}};
    memcpy(request.json, json, sizeof json);
    int64_t failure = send_all(socket, &request, request.header.size);
    if (failure) return (int)failure;
    struct header reply;
    failure = receive_all(socket, &reply, sizeof reply);
    if (failure) return (int)failure;
    char rest[4096];
    if (reply.command != 1 || reply.flags != flag_reply || reply.size < sizeof reply) return -EPROTO;
    if (reply.size - sizeof reply > sizeof rest) return -EPROTO;
    return (int)receive_all(socket, rest, reply.size - sizeof reply);
}
