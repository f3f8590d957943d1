#!/bin/dash
# usage: cpus COUNT [NODE]: with a node, the card is put there before the driver is loaded.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

if [ -n "${2-}" ]; then
    # Firmware would say it; written here, the kernel warns that firmware did not.
    allow_log 'Overriding NUMA node'
    echo "$2" > $card/numa_node
    modprobe mana
fi

# topology: the files of sysfs that our reader reads, as words.
topology() {
    (
        cd /sys/devices/system || exit
        for file in cpu/online cpu/cpu*/topology/thread_siblings_list node/online node/node*/distance \
            node/node*/cpulist; do
            [ ! -e "$file" ] || printf '%s=%s ' "$file" "$(tr ' ' _ < "$file")"
        done
    )
}

# interrupts: the numbers of the card's, in the order of the vectors.
interrupts() { awk '/-0000:01:00.0/ { sub(/:/, "", $1); print $1 }' /proc/interrupts; }

expect "the guest has its CPUs" "$(nproc)" -eq "$1"
check "eth0 appears" within 10 test -e /sys/class/net/eth0
expect "a vector for each CPU and one for the channel" "$(vectors)" -eq $(($1 + 1))
expect "their names" "$(grep -- '-0000:01:00.0' /proc/interrupts | awk '{ print $NF }')" = "$(vector_names $(($1 + 1)))"

# Our rules, over this guest's own sysfs.
rule=allAtOnce
if is_new_driver; then rule=oneThenOneEach; fi
# shellcheck disable=SC2046 # words
wanted=$(ask spread $rule $(($1 + 1)) "${2:--}" $(topology) | tr '\n' ' ')
found=$(for number in $(interrupts); do cat "/proc/irq/$number/smp_affinity_list"; done | tr '\n' ' ')
expect "the vectors are where our rules put them" "$found" = "$wanted"
note "$rule: $found"

bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
expect "a queue for each CPU" "$(queue_count)" -eq "$1"
iperf "TCP to the host" -c "$host" -t 3 -P 4
iperf "TCP from the host" -c "$host" -t 3 -P 4 -R
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0
