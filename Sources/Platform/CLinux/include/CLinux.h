// Linux calls that `import Glibc` does not show: macros, and functions behind feature-test macros. The header includes
// no system header: with _GNU_SOURCE their types differ from those that Glibc's module has.
#pragma once

// An eventfd with count 0, non-blocking; -1 and errno.
int clinux_eventfd(void);

// Takes the count out of an eventfd; 0 if there is none. Never waits, even if somebody else who holds the descriptor has
// made it a blocking one.
unsigned long long clinux_drain_eventfd(int descriptor);

// A memfd of `size` zeroed bytes, sealed at that size, so that a peer who has it mapped too cannot pull pages from under
// us; -1 and errno.
int clinux_memfd(const char *name, long long size);

// The same of huge pages of 2 MiB; that there are some shows when it is mapped.
int clinux_memfd_of_huge_pages(const char *name, long long size);

// Runs the calling thread on one CPU; 0, or an errno.
int clinux_pin_to_cpu(int cpu);

// The number of CPUs that this process may run on.
int clinux_usable_cpu_count(void);

// Opens the TAP device `name`, without packet information, non-blocking; the descriptor, or a negated errno. With headers,
// a struct virtio_net_hdr stands before every frame.
int clinux_open_tap(const char *name, int has_headers);

// Tells the CPU that this is a spin loop.
static inline void clinux_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield");
#endif
}
