#!/bin/dash
# shellcheck source=Guests/igc/guest/vfio.sh
. /doorbell/vfio.sh
card=0000:01:00.0
# Linux tries to reset it when our driver has closed it, and says that it does not answer.
allow_log 'vfio-pci 0000:01:00.0: '

ended() { ! kill -0 "$driver" 2> /dev/null; }

check "the card is bound to vfio-pci" bind_vfio "$card"
doorbell run i225 --backing "vfio:$card" --netdev tap:card > /tmp/run 2>&1 &
driver=$!
check "our driver brings the card up" within 40 grep -qx ready /tmp/run
ip address add 192.0.2.10/24 dev card
ip link set card up
check "the host answers ping" ping -c 5 -i 0.1 -W 5 -q 192.0.2.1
check "the card's server is killed" ask lose
# While traffic is on its way.
ping -c 100 -i 0.01 -W 1 -q 192.0.2.1 > /dev/null 2>&1 &
check "our driver ends by itself" within 120 ended
status=0
wait "$driver" || status=$?
cat /tmp/run
expect "it ends as one that failed" "$status" -eq 1
expect_text "it says that the card is gone" "$(cat /tmp/run)" '0000:01:00.0 .*\(deviceGone\)'
expect "vectors are given back" "$(grep -c "vfio-msix.*($card)" /proc/interrupts)" -eq 0
