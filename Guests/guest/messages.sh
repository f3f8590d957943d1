#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
check "pings of every length from 0 to 100 bytes" sh -c \
    "for n in \$(seq 0 100); do ping -q -c 1 -W 5 -s \$n $host > /tmp/ping || { cat /tmp/ping; exit 1; }; done"
check "a ping in fragments" ping -c 3 -i 0.2 -W 5 -s 20000 "$host"
iperf "TCP to the host" -c "$host" -t 3
iperf "TCP from the host" -c "$host" -t 3 -R
send_file "1 MiB to the host arrives byte for byte" "$host" 5001 1048576
receive_file "1 MiB from the host arrives byte for byte" "$host" 5002 1048576
expect "the guest saw no wrong checksum" "$(checksum_errors)" -eq 0
check "ifdown and ifup" sh -c "ip link set eth0 down && ip link set eth0 up"
check "the host answers ping again" within 20 reaches "$host"
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0
