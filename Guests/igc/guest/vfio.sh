#!/bin/dash
# How a function gets to vfio-pci, and what its use leaves in the kernel's log. Read by the scripts beside it.

# VFIO resets a function when it is opened and when it is closed, and Linux says so as a warning.
allow_log 'vfio-pci .*: (resetting|reset done)$'

modprobe tun

# bind_vfio ADDRESS: as an administrator does, without driverctl.
bind_vfio() {
    modprobe -a vfio-pci vfio_iommu_type1 || return
    echo vfio-pci > "/sys/bus/pci/devices/$1/driver_override"
    if [ -e "/sys/bus/pci/devices/$1/driver" ]; then echo "$1" > "/sys/bus/pci/devices/$1/driver/unbind"; fi
    echo "$1" > /sys/bus/pci/drivers_probe
    [ "$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")" = vfio-pci ]
}

# group_file ADDRESS: what VFIO opens for it.
group_file() { echo "/dev/vfio/$(basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")")"; }
