#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

check "eth0 appears" within 10 test -e /sys/class/net/eth0
expect_text "Linux's driver is bound" "$driver" '^(igc|igb|e1000e)$'
log=$(dmesg -r | grep -E "$driver|0000:01:00.0")
echo "$log"
expect_text "the driver has registered a clock" "$log" "PHC added|added PHC|registered PHC"
expect "nothing it says is a warning" "$(echo "$log" | grep -c '^<[0-4]>')" -eq 0
expect "the address is a card's own" $((0x$(cut -d : -f 1 /sys/class/net/eth0/address) & 1)) -eq 0

bring_up 192.0.2.10
if [ "$driver" = igc ]; then
    expect "the link's speed" "$(cat /sys/class/net/eth0/speed)" -eq 2500
fi
expect "the link is full duplex" "$(cat /sys/class/net/eth0/duplex)" = full
check "the host answers ping" reaches "$host"
expect_text "MSI-X vectors are in use" "$(cat /proc/interrupts)" 'MSIX?-0000:01:00.0.*eth0'
expect "the interrupts are MSI-X" "$(find "$card/msi_irqs" -type f | wc -l)" -ge 2
