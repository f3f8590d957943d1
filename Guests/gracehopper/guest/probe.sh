#!/bin/dash
# shellcheck source=Guests/gracehopper/guest/gpu.sh
. /doorbell/gpu.sh

# Addresses are the firmware's and the kernel's choice, and the numbers of slots and groups QEMU's.
lspci -vvv -s $card | sed -E 's/(Memory at )[0-9a-f]+/\1ADDRESS/; /Physical Slot|IOMMU group/d' > /tmp/lspci
cat /tmp/lspci
check "lspci -vvv is the golden text" diff /doorbell/lspci.txt /tmp/lspci
expect "BAR 0 has 16 MiB" "$(bar_size 0)" = 0x1000000
expect "BAR 2 has 2 GiB" "$(bar_size 2)" = 0x80000000
expect "BAR 4 has 128 GiB" "$(bar_size 4)" = 0x2000000000
for number in 1 3 5; do expect "there is no BAR $number" "$(bar_size $number)" = 0x0; done
expect "it is a 3D controller" "$(cat $device/class)" = 0x030200
