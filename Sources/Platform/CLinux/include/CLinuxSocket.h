// Unix stream sockets that carry descriptors: unix(7), cmsg(3). The macros of cmsg(3) are out of Swift's reach. No call
// here waits, and none raises SIGPIPE. Failures are negated errno values.
#pragma once

// Receives up to `size` bytes, and at most `capacity` descriptors that came with them (close-on-exec; `*count` of them).
// Returns the bytes, or 0 at the end of the stream. -EAGAIN: nothing is there. -ENOBUFS: more descriptors came than
// `capacity`; all of them are closed.
long clinux_receive(int socket, void *buffer, unsigned long size, int *descriptors, int capacity, int *count);

// Sends up to `size` bytes, and `count` (at most 16) descriptors with the first of them; the bytes sent.
long clinux_send(int socket, const void *buffer, unsigned long size, const int *descriptors, int count);

// What was sent and the other end has not taken, in the kernel's measure: 0 means that it has taken all.
int clinux_unread_bytes(int socket);

// Listens at `path`, with room for `backlog` clients that wait. A socket that a server left behind there is removed; one
// that a server still answers at is -EADDRINUSE.
int clinux_listen_unix(const char *path, int backlog);

// Connects to `path`. A server whose backlog is full is -EAGAIN.
int clinux_connect_unix(const char *path);

// Makes `descriptor`, which somebody else opened, a listening socket of ours: non-blocking, closed on exec. -EINVAL if it
// does not listen, or not for Unix streams.
int clinux_adopt_listener(int descriptor);

// The next client that waits at a listening socket.
int clinux_accept(int socket);

// Two sockets, connected with each other.
int clinux_socket_pair(int pair[2]);

// A copy of `descriptor`, close-on-exec.
int clinux_duplicate(int descriptor);

// 1 if `descriptor` is an eventfd, else 0.
int clinux_is_eventfd(int descriptor);

// Makes calls on `descriptor`'s open file never wait; 0.
int clinux_set_nonblocking(int descriptor);

// Adds 1 to an eventfd that a peer has too, and never waits: write(2) would, on a full one that the peer has made a blocking
// one again (O_NONBLOCK belongs to the open file, not to our descriptor of it). So the kernel signals it as the completion of
// an asynchronous read of nothing (IOCB_FLAG_RESFD, io_submit(2)), which saturates instead of waiting.
void clinux_signal_eventfd(int descriptor);
