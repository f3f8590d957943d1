#define _GNU_SOURCE
#include "CLinuxVFIO.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

static int call(int fd, unsigned long request, void *argument) {
    int result = ioctl(fd, request, argument);
    return result < 0 ? -errno : result;
}

int clinux_vfio_api_version(int container) { return call(container, VFIO_GET_API_VERSION, NULL); }

int clinux_vfio_check_extension(int container, int extension) {
    return call(container, VFIO_CHECK_EXTENSION, (void *)(long)extension);
}

int clinux_vfio_set_iommu(int container, int type) { return call(container, VFIO_SET_IOMMU, (void *)(long)type); }

int clinux_vfio_iommu_info(int container, void *buffer, unsigned size) {
    struct vfio_iommu_type1_info *info = buffer;
    if (size < sizeof *info) return -EINVAL;
    memset(buffer, 0, size);
    info->argsz = size;
    int result = call(container, VFIO_IOMMU_GET_INFO, info);
    return result < 0 ? result : (int)info->argsz;
}

int clinux_vfio_map(int container, const void *address, unsigned long long iova, unsigned long long size,
                    int permissions) {
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof map,
        .flags = (permissions & 1 ? VFIO_DMA_MAP_FLAG_READ : 0) | (permissions & 2 ? VFIO_DMA_MAP_FLAG_WRITE : 0),
        .vaddr = (unsigned long)address,
        .iova = iova,
        .size = size,
    };
    return call(container, VFIO_IOMMU_MAP_DMA, &map);
}

int clinux_vfio_unmap(int container, unsigned long long iova, unsigned long long size) {
    struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof unmap, .iova = iova, .size = size};
    return call(container, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

int clinux_vfio_group_flags(int group) {
    struct vfio_group_status status = {.argsz = sizeof status};
    int result = call(group, VFIO_GROUP_GET_STATUS, &status);
    return result < 0 ? result : (int)status.flags;
}

int clinux_vfio_group_set_container(int group, int container) {
    return call(group, VFIO_GROUP_SET_CONTAINER, &container);
}

int clinux_vfio_group_unset_container(int group) { return call(group, VFIO_GROUP_UNSET_CONTAINER, NULL); }

int clinux_vfio_group_device(int group, const char *name) {
    return call(group, VFIO_GROUP_GET_DEVICE_FD, (void *)name);
}

int clinux_vfio_device_info(int device, struct clinux_vfio_device_info *info) {
    struct vfio_device_info answer = {.argsz = sizeof answer};
    int result = call(device, VFIO_DEVICE_GET_INFO, &answer);
    if (result < 0) return result;
    info->flags = answer.flags;
    info->region_count = answer.num_regions;
    info->interrupt_count = answer.num_irqs;
    return 0;
}

int clinux_vfio_region_info(int device, unsigned index, void *buffer, unsigned size) {
    struct vfio_region_info *info = buffer;
    if (size < sizeof *info) return -EINVAL;
    memset(buffer, 0, size);
    info->argsz = size;
    info->index = index;
    int result = call(device, VFIO_DEVICE_GET_REGION_INFO, info);
    return result < 0 ? result : (int)info->argsz;
}

int clinux_vfio_interrupt_info(int device, unsigned index, struct clinux_vfio_interrupt_info *info) {
    struct vfio_irq_info answer = {.argsz = sizeof answer, .index = index};
    int result = call(device, VFIO_DEVICE_GET_IRQ_INFO, &answer);
    if (result < 0) return result;
    info->flags = answer.flags;
    info->count = answer.count;
    return 0;
}

int clinux_vfio_set_interrupts(int device, unsigned index, unsigned start, unsigned count, const int *descriptors) {
    size_t data = count * sizeof *descriptors;
    struct vfio_irq_set *set = calloc(1, sizeof *set + data);
    if (!set) return -ENOMEM;
    set->argsz = (unsigned)(sizeof *set + data);
    set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
    set->index = index;
    set->start = start;
    set->count = count;
    memcpy(set->data, descriptors, data);
    int result = call(device, VFIO_DEVICE_SET_IRQS, set);
    free(set);
    // A positive answer: fewer vectors could be had than were asked for.
    return result > 0 ? -ENOSPC : result;
}

int clinux_vfio_disable_interrupts(int device, unsigned index) {
    struct vfio_irq_set set = {
        .argsz = sizeof set,
        .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
        .index = index,
    };
    return call(device, VFIO_DEVICE_SET_IRQS, &set);
}

int clinux_vfio_reset(int device) { return call(device, VFIO_DEVICE_RESET, NULL); }

int clinux_vfio_call(int fd, unsigned long request, void *argument) { return call(fd, request, argument); }

unsigned long long clinux_locked_memory_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : ~0ULL;
}
