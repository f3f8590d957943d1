#!/bin/dash
# The driver was loaded by init; it must have bound to the first card, without a warning.
check "eth0 appears" within 10 test -e /sys/class/net/eth0
expect_text "the driver is bound" "$(ls -l /sys/bus/pci/devices/0000:01:00.0/driver)" '/(igc|igb|e1000e)$'
ip link set eth0 up
check "the link comes up" within 20 grep -qx 1 /sys/class/net/eth0/carrier
ip address add 192.0.2.10/24 dev eth0
check "the host answers ping" ping -c 3 -i 0.2 -W 5 192.0.2.1
