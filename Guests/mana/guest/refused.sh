#!/bin/dash
# A card of one vector, which the channel needs: the driver says so, and leaves nothing behind.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

allow_log 'mana|0000:01:00.0'
modprobe mana
expect "there is no interface" "$(test -e /sys/class/net/eth0; echo $?)" -eq 1
if is_new_driver; then
    expect_text "the driver says why" "$(dmesg)" 'mana 0000:01:00.0: .*(-28|failed)'
fi
expect "no vector is left" "$(vectors)" -eq 0
rmmod mana
