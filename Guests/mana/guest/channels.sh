#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

bring_up 192.0.2.10
reaches "$host"
expect "as many queues as CPUs" "$(queue_count)" -eq "$(nproc)"

# received_by_queue: the counters of all queues, in one line.
received_by_queue() { ethtool -S eth0 | sed -n 's/^ *rx_\([0-9]*\)_packets: /\1 /p' | sort -n | cut -d ' ' -f 2 | tr '\n' ' '; }

# knock COUNT: the host sends one segment in each of so many flows; prints by how much each queue's counter moved.
knock() {
    local before
    before=$(received_by_queue)
    ask knock 192.0.2.10 tcp "$1"
    sleep 1
    # shellcheck disable=SC2046 # a word for each queue
    set -- $(received_by_queue)
    for earlier in $before; do
        printf '%s ' $(($1 - earlier))
        shift
    done
}

# with_part MINIMUM MOVED...: how many queues got at least so much.
with_part() {
    local minimum=$1
    shift
    note "packets by queue: $*"
    echo "$*" | tr ' ' '\n' | awk -v minimum="$minimum" '$1 >= minimum { count++ } END { print count + 0 }'
}

# shellcheck disable=SC2046 # a word for each queue
{
    expect "200 flows: each queue has its part" "$(with_part 20 $(knock 200))" -eq 4
    check "-X: the first two queues only" ethtool -X eth0 equal 2
    expect "200 flows to two queues: two have all" "$(with_part 50 $(knock 200))" -eq 2
}

# A table that somebody has chosen must not name a queue that is to go.
check "-X: the table of before" ethtool -X eth0 default
for count in 1 2 3 4; do
    check "-L: $count channels" ethtool -L eth0 combined $count
    within 30 has_carrier eth0
    expect "$count queues" "$(queue_count)" -eq $count
    check "the host answers by $count queues" reaches "$host"
done

# While frames pass, both ways.
iperf3 -c "$host" -t 16 -P 4 --bidir > /tmp/iperf.output 2>&1 &
sleep 2
for count in 1 4 2 3 4; do
    check "-L: $count channels under traffic" ethtool -L eth0 combined $count
    sleep 2
done
check "TCP goes on while the channels change" wait $!
tail -n 5 /tmp/iperf.output
check "-X: the receive table under traffic" ethtool -X eth0 equal 3
check "the host answers after it" reaches "$host"
before=$(ethtool -S eth0 | sed -n 's/^ *tx_[0-9]*_packets: //p')
iperf "many connections at once" -c "$host" -t 3 -P 8
# shellcheck disable=SC2086 # a word for each queue
set -- $before
sending=0
for amount in $(ethtool -S eth0 | sed -n 's/^ *tx_[0-9]*_packets: //p'); do
    [ $((amount - $1)) -lt 10 ] || sending=$((sending + 1))
    shift
done
expect "more than one queue sends" $sending -ge 2
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0
expect "no request was refused" "$(refused_requests)" -eq 0
