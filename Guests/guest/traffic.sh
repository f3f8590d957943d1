#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
check "20 of 20 pings are answered" sh -c \
    "ping -c 20 -i 0.05 -W 5 $host > /tmp/ping; grep ' 20 received' /tmp/ping || { cat /tmp/ping; exit 1; }"
check "pings of every length from 0 to 100 bytes" sh -c \
    "for n in \$(seq 0 100); do ping -q -c 1 -W 5 -s \$n $host > /tmp/ping || { cat /tmp/ping; exit 1; }; done"
check "a ping in fragments" ping -c 3 -i 0.2 -W 5 -s 20000 "$host"

iperf "TCP to the host" -c "$host" -t 4
iperf "TCP from the host" -c "$host" -t 4 -R
iperf "four TCP connections at once" -c "$host" -t 3 -P 4
iperf "TCP both ways at once" -c "$host" -t 3 --bidir
iperf_datagrams "UDP to the host" -c "$host"
iperf_datagrams "UDP from the host" -c "$host" -R

send_file "8 MiB to the host arrive byte for byte" "$host" 5001 8388608
receive_file "8 MiB from the host arrive byte for byte" "$host" 5002 8388608
expect "the guest saw no wrong checksum" "$(checksum_errors)" -eq 0
expect "the host saw no wrong checksum" "$(ask checksum_errors)" -eq 0
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0
