#!/bin/dash
# usage: differential PART [SECTION]...: Linux's own nvgrace driver has the table's answers; ours are in /doorbell/ours.
# shellcheck source=Guests/gracehopper/guest/compare.sh
. /doorbell/compare.sh
card=0000:01:00.0
part=$1
shift
# VFIO resets a function when a program asks for it, and Linux says so as a warning.
allow_log 'nvgrace_gpu_vfio_pci .*: (resetting|reset done)$'

# bind: as an administrator binds a variant driver, which takes no device by itself.
bind() {
    echo nvgrace_gpu_vfio_pci > /sys/bus/pci/devices/$card/driver_override
    echo $card > /sys/bus/pci/drivers_probe
    [ "$(basename "$(readlink /sys/bus/pci/devices/$card/driver)")" = nvgrace_gpu_vfio_pci ]
}

modprobe -a vfio-pci-core vfio_iommu_type1
check "Linux's nvgrace driver loads" insmod /doorbell/nvgrace-gpu-vfio-pci.ko
check "it takes the GPU" bind
nvgrace-trial "$part" $card "$@" > /tmp/linux
status=$?
cat /tmp/linux
expect "the table was run to its end" $status -eq 0

case $(uname -r) in
    6.12*) kernel=6.12 ;;
    *) kernel=7.x ;;
esac
compare /tmp/linux /doorbell/ours /doorbell/differences $kernel > /tmp/report
cat /tmp/report
while IFS='	' read -r kind name count; do
    case $kind in
        agree) pass "rows with the same answer: $name" ;;
        defect) pass "$name: rows that differ as this defect makes them: $count" ;;
    esac
done < /tmp/report
grep '^wrong' /tmp/report > /tmp/wrong
expect "no other row differs" "$(wc -l < /tmp/wrong)" -eq 0
# The first few; all are in the console.
head -n 20 /tmp/wrong | while IFS='	' read -r _ row what; do fail "$row" "$what"; done
