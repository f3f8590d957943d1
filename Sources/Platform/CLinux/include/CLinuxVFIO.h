// VFIO by container and group (linux/vfio.h), and register accesses to what it maps. Calls give 0 or more, or a negated
// errno. Like CLinux.h it includes no system header.
#pragma once

// The version of the interface that `container`, an open /dev/vfio/vfio, speaks.
int clinux_vfio_api_version(int container);
// Whether the kernel has this kind of IOMMU (1: TYPE1, 3: TYPE1v2).
int clinux_vfio_check_extension(int container, int extension);
int clinux_vfio_set_iommu(int container, int type);
// struct vfio_iommu_type1_info with its capabilities into `buffer`; how many bytes there are, which may be more than
// `size`.
int clinux_vfio_iommu_info(int container, void *buffer, unsigned size);
// `permissions`: bit 0, the device reads; bit 1, it writes.
int clinux_vfio_map(int container, const void *address, unsigned long long iova, unsigned long long size,
                    int permissions);
// How many bytes were unmapped is not told: 0, or a negated errno.
int clinux_vfio_unmap(int container, unsigned long long iova, unsigned long long size);

// The flags of `group`, an open /dev/vfio/NUMBER.
int clinux_vfio_group_flags(int group);
int clinux_vfio_group_set_container(int group, int container);
int clinux_vfio_group_unset_container(int group);
// A descriptor for the device called `name` in the group.
int clinux_vfio_group_device(int group, const char *name);

struct clinux_vfio_device_info {
    unsigned flags;
    unsigned region_count;
    unsigned interrupt_count;
};
int clinux_vfio_device_info(int device, struct clinux_vfio_device_info *info);
// struct vfio_region_info with its capabilities into `buffer`; how many bytes there are.
int clinux_vfio_region_info(int device, unsigned index, void *buffer, unsigned size);

struct clinux_vfio_interrupt_info {
    unsigned flags;
    unsigned count;
};
int clinux_vfio_interrupt_info(int device, unsigned index, struct clinux_vfio_interrupt_info *info);
// Has vectors `start` and on of kind `index` signal `descriptors`; -1 among them detaches.
int clinux_vfio_set_interrupts(int device, unsigned index, unsigned start, unsigned count, const int *descriptors);
int clinux_vfio_disable_interrupts(int device, unsigned index);
int clinux_vfio_reset(int device);
// Any call of a VFIO descriptor with the caller's own bytes as its argument, whatever they say.
int clinux_vfio_call(int fd, unsigned long request, void *argument);

// The soft limit of locked memory, in bytes; all ones: none.
unsigned long long clinux_locked_memory_limit(void);

// A device's register: exactly one access of exactly this size. The store comes after all stores before it.
static inline unsigned clinux_load_register(const void *address) {
    unsigned value = *(const volatile unsigned *)address;
#if !defined(__x86_64__)
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
#else
    __asm__ volatile("" ::: "memory");
#endif
    return value;
}

static inline void clinux_store_register(void *address, unsigned value) {
#if defined(__aarch64__)
    __asm__ volatile("dmb oshst" ::: "memory");
#else
    __asm__ volatile("" ::: "memory");
#endif
    *(volatile unsigned *)address = value;
}

/// As `clinux_load_register`, of 1, 2, 4 or 8 bytes.
static inline unsigned long long clinux_load_sized_register(const void *address, int size) {
    unsigned long long value;
    switch (size) {
    case 1: value = *(const volatile unsigned char *)address; break;
    case 2: value = *(const volatile unsigned short *)address; break;
    case 4: value = *(const volatile unsigned *)address; break;
    default: value = *(const volatile unsigned long long *)address; break;
    }
#if !defined(__x86_64__)
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
#else
    __asm__ volatile("" ::: "memory");
#endif
    return value;
}

/// As `clinux_store_register`, of the low 1, 2, 4 or 8 bytes.
static inline void clinux_store_sized_register(void *address, unsigned long long value, int size) {
#if defined(__aarch64__)
    __asm__ volatile("dmb oshst" ::: "memory");
#else
    __asm__ volatile("" ::: "memory");
#endif
    switch (size) {
    case 1: *(volatile unsigned char *)address = (unsigned char)value; break;
    case 2: *(volatile unsigned short *)address = (unsigned short)value; break;
    case 4: *(volatile unsigned *)address = (unsigned)value; break;
    default: *(volatile unsigned long long *)address = value; break;
    }
}

/// As `clinux_store_register`, of 64 bits in one access.
static inline void clinux_store_wide_register(void *address, unsigned long long value) {
#if defined(__aarch64__)
    __asm__ volatile("dmb oshst" ::: "memory");
#else
    __asm__ volatile("" ::: "memory");
#endif
    *(volatile unsigned long long *)address = value;
}
