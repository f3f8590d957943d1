#!/bin/dash
# usage: pair 10|11: the last part of this guest's address; 11 serves, 10 asks.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

other=192.0.2.$((21 - $1))
bring_up "192.0.2.$1"
meet up 2 || exit
check "the other guest answers ping" reaches $other
check "the host answers ping" reaches "$host"
expect "the other guest has an address of its own" \
    "$(ip neighbour show $other | grep -c "$(cat /sys/class/net/eth0/address)")" -eq 0
if [ "$1" = 11 ]; then
    iperf3 --server > /tmp/iperf-server.output 2>&1 &
    within 10 sh -c 'ss -Hltn | grep -q :5201'
    meet serving 2
    meet measured 2
    transfer "4 MiB between guests" receiver - 5001 4194304
    transfer "4 MiB between guests" sender $other 5002 4194304
else
    meet serving 2
    iperf "TCP to the other guest" -c $other -t 4
    iperf "TCP from the other guest" -c $other -t 4 -R
    iperf_datagrams "UDP to the other guest" -c $other
    iperf_datagrams "UDP from the other guest" -c $other -R
    meet measured 2
    transfer "4 MiB between guests" sender $other 5001 4194304
    transfer "4 MiB between guests" receiver - 5002 4194304
fi
expect "no wrong checksum" "$(checksum_errors)" -eq 0
meet finished 2
