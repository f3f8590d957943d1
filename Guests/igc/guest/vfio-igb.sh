#!/bin/dash
# The trial's own steps, then real programs through the card: a TAP device stands for it here, a second igb, with Linux's
# driver, in a namespace of its own, is what it talks to.
# shellcheck source=Guests/igc/guest/vfio.sh
. /doorbell/vfio.sh

modprobe igb
check "the peer has Linux's driver" test -e /sys/bus/pci/devices/0000:02:00.0/net
peer=$(ls /sys/bus/pci/devices/0000:02:00.0/net)
check "the card is bound to vfio-pci" bind_vfio 0000:01:00.0

igb-trial 0000:01:00.0 card > /tmp/trial 2>&1 &
trial=$!
check "the driver's queue pair passes frames" within 40 grep -qx ready /tmp/trial
expect_text "50 Tx stamps, each between two reads of the clock" "$(cat /tmp/trial)" '^stamps: 50 of 50'
expect_text "50 interrupts of queue 0, one for each re-arming" "$(cat /tmp/trial)" '^interrupts: 50 of 50'
note "$(grep '^stamps:' /tmp/trial)"

ip netns add peer
ip link set "$peer" netns peer
ip -n peer address add 192.0.2.2/24 dev "$peer"
ip -n peer link set "$peer" up
ip address add 192.0.2.1/24 dev card
ip link set card up
check "the peer's link comes up" within 20 ip netns exec peer grep -qx 1 "/sys/class/net/$peer/carrier"
check "the peer answers ping" ping -c 20 -i 0.1 -W 5 -q 192.0.2.2
ip netns exec peer iperf3 -s -D
within 5 sh -c 'ip netns exec peer ss -Hltn "sport = 5201" | grep -q .'
check "iperf3 to the peer" iperf3 -c 192.0.2.2 -t 3 -f m
note "to the peer: $(grep -E 'receiver' /tmp/check.output)"
check "iperf3 from the peer" iperf3 -c 192.0.2.2 -t 3 -f m -R
note "from the peer: $(grep -E 'receiver' /tmp/check.output)"

vectors=$(grep -c 'vfio-msix\[[01]\](0000:01:00.0)' /proc/interrupts)
expect "two vectors of ten are attached" "$vectors" -eq 2
check "QEMU takes the link away" ask link off
check "a link that goes raises the vector of other causes" within 10 grep -qx "link changed" /tmp/trial
ask link on

kill -TERM $trial
status=0
wait $trial || status=$?
expect "the driver gives the card back" "$status" -eq 0
expect_text "nothing is left on loan" "$(cat /tmp/trial)" '^nothing is left on loan'
expect_text "no frame was damaged" "$(cat /tmp/trial)" '^receive_errors 0 '
note "$(grep '^transmitted' /tmp/trial)"
cat /tmp/trial
