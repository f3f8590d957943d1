#define _GNU_SOURCE
#include "CLinuxSocket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { maximum_descriptors = 16 };

union control {
    char bytes[CMSG_SPACE(maximum_descriptors * sizeof(int))];
    struct cmsghdr alignment;
};

long clinux_receive(int socket, void *buffer, unsigned long size, int *descriptors, int capacity, int *count) {
    union control control;
    struct iovec data = {buffer, size};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *count = 0;
    ssize_t received;
    do received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    int overflow = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        unsigned long received_count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (unsigned long index = 0; index < received_count; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + index * sizeof descriptor, sizeof descriptor);
            if (*count < capacity) {
                descriptors[(*count)++] = descriptor;
            } else {
                overflow = 1;
                close(descriptor);
            }
        }
    }
    if (!overflow) return received;
    while (*count > 0) close(descriptors[--*count]);
    return -ENOBUFS;
}

long clinux_send(int socket, const void *buffer, unsigned long size, const int *descriptors, int count) {
    if (count < 0 || count > maximum_descriptors) return -EINVAL;
    union control control;
    struct iovec data = {(void *)buffer, size};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(part), descriptors, count * sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int clinux_unread_bytes(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) < 0 ? -errno : count;
}

static int unix_socket(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (path[0] == 0) return -EINVAL;
    if (strlen(path) >= sizeof address->sun_path) return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

static int close_and_return(int fd, int error) {
    close(fd);
    return -error;
}

// Whether the socket file at `path` is one that nobody listens at any more.
static int is_abandoned(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode)) return 0;
    int fd = clinux_connect_unix(path);
    if (fd >= 0) close(fd);
    return fd == -ECONNREFUSED;
}

int clinux_listen_unix(const char *path, int backlog) {
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    if (fd < 0) return fd;
    int failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    if (failed < 0 && errno == EADDRINUSE) {
        if (!is_abandoned(path)) return close_and_return(fd, EADDRINUSE);
        if (unlink(path) < 0) return close_and_return(fd, errno);
        failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    }
    if (failed < 0 || listen(fd, backlog) < 0) return close_and_return(fd, errno);
    return fd;
}

int clinux_connect_unix(const char *path) {
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    if (fd < 0) return fd;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return close_and_return(fd, errno);
    return fd;
}

int clinux_adopt_listener(int descriptor) {
    int listens = 0, domain = 0, type = 0;
    socklen_t size = sizeof(int);
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) return -errno;
    size = sizeof(int);
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0) return -errno;
    size = sizeof(int);
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return -errno;
    if (!listens || domain != AF_UNIX || type != SOCK_STREAM) return -EINVAL;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0 ? -errno : descriptor;
}

int clinux_accept(int socket) {
    int fd;
    do fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd < 0 ? -errno : fd;
}

int clinux_socket_pair(int pair[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0 ? -errno : 0;
}

int clinux_duplicate(int descriptor) {
    int fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

int clinux_is_eventfd(int descriptor) {
    char path[32], target[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) return 0;
    target[length] = 0;
    return strcmp(target, "anon_inode:[eventfd]") == 0;
}

int clinux_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -errno;
    if (flags & O_NONBLOCK) return 0;
    return fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}
