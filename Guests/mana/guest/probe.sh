#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

check "eth0 appears" within 10 test -e /sys/class/net/eth0
expect "Linux's driver is bound" "$driver" = mana
log=$(dmesg -r | grep -E 'mana|0000:01:00.0')
echo "$log"
expect "nothing it says is a warning" "$(echo "$log" | grep -c '^<[0-4]>')" -eq 0
expect "the address is a card's own" $((0x$(cut -d : -f 1 /sys/class/net/eth0/address) & 1)) -eq 0

# Of a probe alone, before the interface is opened. 0xa is a test event, 0x1 the version, 0x2 the resources, 0x3 the devices,
# 0x4 the registration, 0x19 0xc 0xa a queue for events, 0x20001 and 0x20008 the adapter and its port.
if is_new_driver; then
    expect "one vector, the resources, then the rest one by one" "$(steps)" = \
        "v0 channel 0xa 0x1 0x3 0x2 0x20001 v1 v2 v3 v4 0x4 0x20001 0x20008 "
else
    expect "all vectors before anything is asked" "$(steps)" = \
        "v0 v1 v2 v3 v4 channel 0xa 0x1 0x2 0x3 0x4 0x19 0xc 0xa 0x19 0xc 0xa 0x19 0xc 0xa 0x19 0xc 0xa 0x20001 0x20008 "
fi
expect "a vector for each CPU and one for the channel" "$(vectors)" -eq 5
expect "their names" "$(grep -- '-0000:01:00.0' /proc/interrupts | awk '{ print $NF }')" = "$(vector_names 5)"

bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
if is_new_driver; then expect "the link is full duplex" "$(cat /sys/class/net/eth0/duplex)" = full; fi
expect "no request was refused" "$(refused_requests)" -eq 0
expect "a queue for each CPU" "$(queue_count)" -eq 4

# Opened and closed: all that the port had goes back, in the order that the card needs.
ip link set eth0 down
steps
rmmod mana
after=$(steps)
echo "$after"
expect_text "the channel ends, then the vectors go" "$after" ' 0x5 end -0 -1 -2 -3 -4 $'
