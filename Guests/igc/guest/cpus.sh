#!/bin/dash
# usage: cpus COUNT
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

expect "the guest has its CPUs" "$(nproc)" -eq "$1"
bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
expect "a queue for each CPU" "$(find /sys/class/net/eth0/queues -name 'rx-*' | wc -l)" -eq "$1"
if [ "$driver" = igc ]; then
    # igc_set_flag_queue_pairs: the two directions share a vector only if there are more than half of the queues.
    if [ "$1" -gt 2 ]; then vectors=$(($1 + 1)); else vectors=$((2 * $1 + 1)); fi
    expect "the vectors: of the queues and one more" "$(grep -c -- '-0000:01:00.0' /proc/interrupts)" -eq $vectors
fi
iperf "TCP to the host" -c "$host" -t 3 -P 4
iperf "TCP from the host" -c "$host" -t 3 -P 4 -R
send_file "2 MiB to the host" "$host" 5001 2097152
receive_file "2 MiB from the host" "$host" 5002 2097152
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0
