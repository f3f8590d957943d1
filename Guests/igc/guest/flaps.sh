#!/bin/dash
# usage: flaps TIMES: the cable is pulled and plugged in, as often.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

# A card without a link keeps what it has not yet sent; igc_watchdog_task sees that, and resets the card.
allow_log 'Reset adapter'
bring_up 192.0.2.10
reaches "$host"
before=$(cat /sys/class/net/eth0/carrier_changes)
lost=0 back=0 answered=0
for _ in $(seq 1 "$1"); do
    ask cable a off
    if within 10 has_no_carrier eth0; then lost=$((lost + 1)); fi
    ask cable a on
    if within 20 has_carrier eth0; then back=$((back + 1)); fi
    if reaches "$host" > /tmp/ping 2>&1; then answered=$((answered + 1)); fi
done
expect "pulled $1 times, the link was lost as often" $lost -eq "$1"
expect "and came back as often" $back -eq "$1"
expect "and the host answered as often" $answered -eq "$1"
expect "the kernel counted them" $(($(cat /sys/class/net/eth0/carrier_changes) - before)) -ge $((2 * $1))

# While frames are on their way.
iperf3 -c "$host" -t 25 > /tmp/iperf.output 2>&1 &
sleep 2
ask cable a off
sleep 8
ask cable a on
check "the link is back after 8 seconds under load" within 20 has_carrier eth0
wait
check "the host answers after it" reaches "$host"
send_file "2 MiB to the host after it" "$host" 5001 2097152
