#!/bin/dash
# Receive side scaling: flows spread over the queues as the table says.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
reaches "$host"
queues=$(find /sys/class/net/eth0/queues -name 'rx-*' | wc -l)
expect "as many queues as CPUs" "$queues" -eq "$(nproc)"

# received_by_queue: the counters of all queues, in one line.
received_by_queue() {
    ethtool -S eth0 | sed -n 's/^ *rx_queue_\([0-9]*\)_packets: /\1 /p' | sort -n | cut -d ' ' -f 2 | tr '\n' ' '
}

# knock PROTOCOL COUNT: the host sends one packet in each of so many flows; prints by how much each queue's counter moved.
knock() {
    local before
    before=$(received_by_queue)
    ask knock 192.0.2.10 "$1" "$2"
    sleep 1
    # shellcheck disable=SC2046 # a word for each queue
    set -- $(received_by_queue)
    for earlier in $before; do
        printf '%s ' $(($1 - earlier))
        shift
    done
}

# spread NAME MINIMUM MOVED...: the queues of $wanted got at least MINIMUM each, the others less than that.
spread() {
    local name=$1 minimum=$2 queue=0 amount
    shift 2
    note "$name: packets by queue: $*"
    for amount; do
        case " $wanted " in
            *" $queue "*) expect "$name: queue $queue has its part" "$amount" -ge "$minimum" ;;
            *) expect "$name: queue $queue has none" "$amount" -lt 10 ;;
        esac
        queue=$((queue + 1))
    done
}

wanted=$(seq -s ' ' 0 $((queues - 1)))
# shellcheck disable=SC2046 # a word for each queue
{
    spread "TCP" 20 $(knock tcp 200)
    check "-X: the first two queues only" ethtool -X eth0 equal 2
    within 30 has_carrier eth0
    wanted="0 1"
    spread "TCP to two queues" 50 $(knock tcp 200)
    expect "-x shows it" "$(ethtool -x eth0 | sed -n 's/^ *[0-9]*: *\([0-9 ]*\)$/\1/p' | tr -s ' ' '\n' |
        grep . | sort -u | tr '\n' ' ')" = "0 1 "
    if [ "$driver" = igc ]; then
        # One address and one port of ours, many ports of theirs: by addresses alone this is one flow.
        wanted=$(seq -s ' ' 0 $((queues - 1)))
        check "-X: all queues" ethtool -X eth0 equal "$queues"
        within 30 has_carrier eth0
        # The driver warns of what that does to fragments.
        allow_log 'Enabling UDP RSS'
        check "-N: UDP by addresses and ports" ethtool -N eth0 rx-flow-hash udp4 sdfn
        within 30 has_carrier eth0
        spread "UDP by ports" 20 $(knock udp 200)
        check "-N: UDP by addresses" ethtool -N eth0 rx-flow-hash udp4 sd
        within 30 has_carrier eth0
        moved=$(knock udp 200)
        note "UDP by addresses: packets by queue: $moved"
        expect "UDP by addresses: one queue has all" "$(echo "$moved" | tr ' ' '\n' | awk '$1 >= 200' | wc -l)" -eq 1
    fi
}

# The table must not name a queue that is to go.
check "-X: two queues" ethtool -X eth0 equal 2
check "-L: fewer channels" ethtool -L eth0 combined 2
within 30 has_carrier eth0
expect "two queues are left" "$(find /sys/class/net/eth0/queues -name 'rx-*' | wc -l)" -eq 2
check "the host answers with two queues" reaches "$host"
check "-L: all channels" ethtool -L eth0 combined "$queues"
within 30 has_carrier eth0
check "the host answers with all queues" reaches "$host"
before=$(for n in $(seq 0 $((queues - 1))); do statistic "tx_queue_${n}_packets"; done)
iperf "many connections at once" -c "$host" -t 3 -P 8
# shellcheck disable=SC2086 # a word for each queue
set -- $before
sending=0
for queue in $(seq 0 $((queues - 1))); do
    [ $(($(statistic "tx_queue_${queue}_packets") - $1)) -lt 10 ] || sending=$((sending + 1))
    shift
done
expect "more than one queue sends" $sending -ge 2
