#define _GNU_SOURCE
#include "CLinuxSocket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The beginning of what an aio_context_t points to (struct aio_ring of fs/aio.c). Programs take completions out of it by
// themselves where the magic number is this one, as io_getevents of libaio does.
struct completions {
    unsigned id, count, head, tail, magic, compatible, incompatible, header_length;
};
enum { known_layout = 0xa10a10a1 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
// What each request reads: nothing, out of nowhere.
static int nowhere = -1;
static __thread aio_context_t context;
static __thread int is_tried;

static void destroy(void *value) { syscall(SYS_io_destroy, (aio_context_t)value); }

static void prepare(void) {
    nowhere = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nowhere >= 0 && pthread_key_create(&key, destroy) != 0) {
        close(nowhere);
        nowhere = -1;
    }
}

static void set_up(void) {
    is_tried = 1;
    pthread_once(&once, prepare);
    aio_context_t made = 0;
    if (nowhere < 0 || syscall(SYS_io_setup, 4, &made) < 0) return;
    const struct completions *ring = (const struct completions *)made;
    if (ring->magic != known_layout || ring->incompatible != 0 || pthread_setspecific(key, (void *)made) != 0) {
        syscall(SYS_io_destroy, made);
        return;
    }
    context = made;
}

void clinux_signal_eventfd(int descriptor) {
    if (!is_tried) set_up();
    if (context) {
        struct iocb request, *requests = &request;
        memset(&request, 0, sizeof request);
        request.aio_lio_opcode = IOCB_CMD_PREAD;
        request.aio_fildes = (unsigned)nowhere;
        request.aio_flags = IOCB_FLAG_RESFD;
        request.aio_resfd = (unsigned)descriptor;
        long submitted = syscall(SYS_io_submit, context, 1, &requests);
        struct completions *ring = (struct completions *)context;
        __atomic_store_n(&ring->head, __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
        if (submitted == 1) return;
    }
    // No asynchronous I/O here (a kernel or a sandbox without it). What the look says may be over before the write.
    struct pollfd look = {.fd = descriptor, .events = POLLOUT};
    if (poll(&look, 1, 0) != 1 || !(look.revents & POLLOUT)) return;
    uint64_t one = 1;
    ssize_t result = write(descriptor, &one, sizeof one);
    (void)result;
}
