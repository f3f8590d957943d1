#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

address() { cat "/sys/class/net/$1/address"; }
number() { echo $((0x$(address "$1" | tr -d :))); }

check "eth0 appears" within 10 test -e /sys/class/net/eth0
check "eth1 appears" within 10 test -e /sys/class/net/eth1
expect "the second port has the next address" "$(number eth1)" -eq $(($(number eth0) + 1))
for port in eth0 eth1; do
    expect "$port is the same card's" "$(basename "$(readlink /sys/class/net/$port/device)")" = 0000:01:00.0
    expect "$port: a queue for each CPU" "$(find /sys/class/net/$port/queues -name 'rx-*' | wc -l)" -eq 4
done
expect "a vector for each CPU and one for the channel: the ports share them" "$(vectors)" -eq 5

bring_up 192.0.2.10
check "eth1 goes up" ip link set eth1 up
check "eth1 has a link" within 20 has_carrier eth1
check "the host answers ping" reaches "$host"
send_file "1 MiB to the host" "$host" 5001 1048576
receive_file "1 MiB from the host" "$host" 5002 1048576
# The host asks everybody for an address that nobody has: what is sent to all goes to both ports.
received() { ethtool -S "$1" | awk '/ rx_[0-9]+_packets:/ { sum += $2 } END { print sum + 0 }'; }
before=$(received eth1)
ask knock 192.0.2.77 tcp 1
more() { [ $(($(received eth1) - before)) -ge 1 ]; }
check "a broadcast reaches eth1 too" within 10 more
expect "what was for eth0 has not gone to eth1" "$(received eth1)" -lt $(($(received eth0) / 10))

check "-L: two channels of eth1" ethtool -L eth1 combined 2
expect "eth1 has them" "$(find /sys/class/net/eth1/queues -name 'rx-*' | wc -l)" -eq 2
expect "eth0 keeps its own" "$(queue_count)" -eq 4
check "the host answers ping" reaches "$host"
check "eth1 goes down" ip link set eth1 down
check "the host answers without it" reaches "$host"
expect "no request was refused" "$(refused_requests)" -eq 0
ip link set eth0 down
rmmod mana
after=$(steps)
echo "$after"
expect_text "the channel ends, then the vectors go" "$after" ' 0x5 end -0 -1 -2 -3 -4 $'
