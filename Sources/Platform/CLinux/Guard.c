#define _GNU_SOURCE
#include "CLinuxGuard.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

// What the handler reads, so no locks there: an entry is there once its `start` is not 0, and its `end` is set before.
static struct {
    _Atomic uintptr_t start;
    _Atomic uintptr_t end;
    _Atomic int broken;
} ranges[4096];

enum { capacity = sizeof ranges / sizeof ranges[0] };

// No entry at or behind it was ever used.
static _Atomic int used;
static _Atomic unsigned long broken_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static int installed;

static void pass_on(int number, siginfo_t *info, void *context) {
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        // The access is made again on return, and ends the process as it would have without us.
        signal(number, SIG_DFL);
    } else {
        previous.sa_handler(number);
    }
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    int error = errno;
    uintptr_t address = (uintptr_t)info->si_addr;
    // A signal that somebody sent (kill(2)) has no address.
    int count = info->si_code > 0 ? atomic_load_explicit(&used, memory_order_acquire) : 0;
    for (int index = 0; index < count; index++) {
        uintptr_t start = atomic_load_explicit(&ranges[index].start, memory_order_acquire);
        uintptr_t end = atomic_load_explicit(&ranges[index].end, memory_order_acquire);
        // Another thread may have replaced the entry between the two: start and end of two ranges are no range.
        if (start == 0 || start != atomic_load_explicit(&ranges[index].start, memory_order_relaxed)) continue;
        if (address < start || address >= end) continue;
        // All of it, not a page: one mapping instead of thousands of pieces, and it works for huge pages as well.
        void *place = mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        if (place == MAP_FAILED) break;
        if (atomic_exchange(&ranges[index].broken, 1) == 0) atomic_fetch_add(&broken_count, 1);
        errno = error;
        return;
    }
    errno = error;
    pass_on(number, info, context);
}

static int install(void) {
    if (installed) return 0;
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, NULL, &previous) < 0 || sigaction(SIGBUS, &action, NULL) < 0) return errno;
    installed = 1;
    return 0;
}

static int guard(uintptr_t start, uintptr_t end) {
    pthread_mutex_lock(&lock);
    int error = install();
    int index = 0;
    while (index < capacity && atomic_load_explicit(&ranges[index].start, memory_order_relaxed) != 0) index++;
    if (error == 0 && index == capacity) error = ENOSPC;
    if (error == 0) {
        atomic_store_explicit(&ranges[index].broken, 0, memory_order_relaxed);
        // Not before the entry was seen to be empty, and before it is seen to be full again.
        atomic_store_explicit(&ranges[index].end, end, memory_order_release);
        atomic_store_explicit(&ranges[index].start, start, memory_order_release);
        if (index >= atomic_load(&used)) atomic_store_explicit(&used, index + 1, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    return error;
}

static int find(const void *address) {
    int count = atomic_load_explicit(&used, memory_order_acquire);
    for (int index = 0; index < count; index++) {
        if (atomic_load_explicit(&ranges[index].start, memory_order_acquire) == (uintptr_t)address) return index;
    }
    return -1;
}

int clinux_describe_file(int descriptor, struct clinux_file *file) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -errno;
    *file = (struct clinux_file){0};
    // Only memory (tmpfs, memfd, huge pages) answers this. It comes first, because it waits for nobody: fstat(2) of a
    // file in user space (FUSE) does, as every access to its mapping would.
    int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0) return 0;
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -errno;
    int mode = flags & O_ACCMODE;
    *file = (struct clinux_file){
        .device = status.st_dev,
        .inode = status.st_ino,
        .size = status.st_size,
        .is_memory = S_ISREG(status.st_mode) && (flags & O_PATH) == 0,
        .is_readable = mode == O_RDONLY || mode == O_RDWR,
        .is_writable = mode == O_RDWR && !(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)),
        .is_sealed = (seals & F_SEAL_SHRINK) != 0,
    };
    return 0;
}

void *clinux_map_guarded(int descriptor, unsigned long size, int writable, int *error) {
    void *address = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED | MAP_NORESERVE, descriptor, 0);
    *error = errno;
    if (address == MAP_FAILED) return NULL;
    *error = guard((uintptr_t)address, (uintptr_t)address + size);
    if (*error == 0) return address;
    munmap(address, size);
    return NULL;
}

void *clinux_join_guarded(const struct clinux_piece *pieces, int count, int *error) {
    unsigned long total = 0;
    for (int index = 0; index < count; index++) total += pieces[index].size;
    char *address = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *error = errno;
    if (address == MAP_FAILED) return NULL;
    char *place = address;
    *error = 0;
    for (int index = 0; index < count && *error == 0; index++) {
        // An old size of 0 makes a second mapping of the same pages; of private memory there can be none (mremap(2)).
        void *piece = mremap(pieces[index].start, 0, pieces[index].size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
        if (piece == MAP_FAILED) *error = errno;
        place += pieces[index].size;
    }
    if (*error == 0) *error = guard((uintptr_t)address, (uintptr_t)address + total);
    if (*error == 0) return address;
    munmap(address, total);
    return NULL;
}

void clinux_unmap_guarded(void *address, unsigned long size) {
    pthread_mutex_lock(&lock);
    int index = find(address);
    if (index >= 0) atomic_store_explicit(&ranges[index].start, 0, memory_order_release);
    pthread_mutex_unlock(&lock);
    munmap(address, size);
}

int clinux_is_broken(const void *address) {
    int index = find(address);
    return index >= 0 && atomic_load(&ranges[index].broken);
}

unsigned long clinux_broken_count(void) { return atomic_load_explicit(&broken_count, memory_order_relaxed); }
