#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

check "eth0 appears" within 10 test -e /sys/class/net/eth0
expect "Linux's driver is bound" "$driver" = mana
log=$(dmesg -r | grep -E 'mana|0000:01:00.0')
echo "$log"
expect "nothing it says is a warning" "$(echo "$log" | grep -c '^<[0-4]>')" -eq 0
bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
cat /proc/interrupts
ask trace
