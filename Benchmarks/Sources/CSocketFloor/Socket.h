// One system call, as both ends make it.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

// The header of a vfio-user message.
struct header {
    uint16_t identifier, command;
    uint32_t size, flags, error;
};

enum { flag_reply = 1, flag_no_reply = 0x10 };

// The bytes that went, 0 if the socket takes none now, or a negated errno.
static inline int64_t send_some(int socket, const void *bytes, uint64_t count) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

// The bytes that came, 0 if there are none now, or a negated errno; -EPIPE at the end of the stream.
static inline int64_t receive_some(int socket, void *bytes, uint64_t room) {
    struct iovec part = {.iov_base = bytes, .iov_len = room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t received = recvmsg(socket, &message, MSG_DONTWAIT);
    if (received > 0) return received;
    if (received == 0) return -EPIPE;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

// Tells the CPU that this is a spin loop.
static inline void spin(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield");
#endif
}

// Sends all of it.
static inline int64_t send_all(int socket, const void *bytes, uint64_t count) {
    for (uint64_t done = 0; done < count;) {
        int64_t sent = send_some(socket, (const char *)bytes + done, count - done);
        if (sent < 0) return sent;
        if (sent == 0) spin();
        done += sent;
    }
    return 0;
}

// Receives exactly `count` bytes.
static inline int64_t receive_all(int socket, void *bytes, uint64_t count) {
    for (uint64_t done = 0; done < count;) {
        int64_t received = receive_some(socket, (char *)bytes + done, count - done);
        if (received < 0) return received;
        if (received == 0) spin();
        done += received;
    }
    return 0;
}
