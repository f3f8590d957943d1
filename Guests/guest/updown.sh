#!/bin/dash
# usage: updown TIMES: the interface goes down and up, as often.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
reaches "$host"
vectors=$(grep -c '0000:01:00.0' /proc/interrupts)
failures=0
for time in $(seq 1 "$1"); do
    ip link set eth0 down || failures=$((failures + 1))
    ip link set eth0 up || failures=$((failures + 1))
    # Now and then to the full extent; else down comes while up has just begun.
    if [ $((time % 10)) = 0 ]; then
        within 30 has_carrier eth0 && reaches "$host" > /tmp/ping || failures=$((failures + 1))
    fi
done
expect "down and up $1 times" $failures -eq 0
check "the link is up" within 30 has_carrier eth0
check "the host answers" reaches "$host"
expect "as many vectors as before" "$(grep -c '0000:01:00.0' /proc/interrupts)" -eq "$vectors"
receive_file "2 MiB from the host" "$host" 5002 2097152
send_file "2 MiB to the host" "$host" 5001 2097152
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0

# Down while frames come and go.
iperf3 -c "$host" -t 20 -R > /tmp/iperf.output 2>&1 &
sleep 1
for _ in 1 2 3 4 5; do
    ip link set eth0 down
    ip address replace 192.0.2.10/24 dev eth0
    ip link set eth0 up
    within 30 has_carrier eth0
    sleep 1
done
wait
check "the host answers after going down under load" reaches "$host"
