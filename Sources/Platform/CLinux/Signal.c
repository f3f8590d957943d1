#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// What the kernel has at the address that io_setup(2) gives: the queue of completed requests. Its reader moves `head`.
struct completions {
    unsigned id, capacity;
    _Atomic unsigned head, tail;
    unsigned magic;
};

enum { completions_magic = 0xa10a10a1, most_outstanding = 16 };

// The context belongs to one thread, because whoever reads its queue must be alone.
static _Thread_local aio_context_t context;
static _Thread_local int has_failed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int nothing = -1;

static void end_of_thread(void *ended) { syscall(SYS_io_destroy, (aio_context_t)ended); }

static void prepare(void) {
    if (pthread_key_create(&key, end_of_thread) == 0) nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_context(void) {
    if (has_failed) return 0;
    pthread_once(&once, prepare);
    if (nothing < 0 || syscall(SYS_io_setup, most_outstanding, &context) < 0) {
        context = 0;
        has_failed = 1;
        return 0;
    }
    struct completions *completions = (struct completions *)context;
    if (completions->magic != completions_magic || pthread_setspecific(key, (void *)context) != 0) {
        syscall(SYS_io_destroy, context);
        context = 0;
        has_failed = 1;
        return 0;
    }
    return 1;
}

// Without asynchronous requests (a kernel or a sandbox that has none): what a look says may be over before the write.
static int signal_after_a_look(int descriptor) {
    struct pollfd look = {.fd = descriptor, .events = POLLOUT};
    if (poll(&look, 1, 0) < 0) return -errno;
    if (!(look.revents & POLLOUT)) return -EAGAIN;
    uint64_t one = 1;
    return write(descriptor, &one, sizeof one) < 0 ? -errno : 0;
}

int clinux_signal_shared_eventfd(int descriptor) {
    if (context == 0 && !open_context()) return signal_after_a_look(descriptor);
    // A read of nothing: it is done when io_submit returns, and the kernel then adds 1 to the eventfd by
    // eventfd_signal(), which has no way to wait.
    struct iocb request = {
        .aio_lio_opcode = IOCB_CMD_PREAD,
        .aio_fildes = nothing,
        .aio_flags = IOCB_FLAG_RESFD,
        .aio_resfd = descriptor,
    };
    struct iocb *requests[] = {&request};
    if (syscall(SYS_io_submit, context, 1, requests) != 1) return -errno;
    struct completions *completions = (struct completions *)context;
    atomic_store_explicit(
        &completions->head, atomic_load_explicit(&completions->tail, memory_order_acquire), memory_order_release);
    return 0;
}
