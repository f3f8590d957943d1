#!/bin/dash
# Frames that are not plain: jumbo frames, multicast, frames for another address.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
reaches "$host"
address=$(cat /sys/class/net/eth0/address)

check "the card takes an MTU of 9000" ip link set eth0 mtu 9000
ask mtu 9000
check "the link is up with jumbo frames" within 30 has_carrier eth0
check "a ping of 8972 bytes, not to be fragmented" within 15 ping -c 1 -W 5 -M "do" -s 8972 "$host"
check "ten of them" ping -c 10 -i 0.1 -W 5 -M "do" -s 8972 "$host"
expect "a longer one is refused" "$(ping -c 1 -W 2 -M "do" -s 8973 "$host" > /tmp/long 2>&1; echo $?)" -ne 0
ask capture jumbo
send_file "4 MiB to the host in jumbo frames" "$host" 5001 4194304
# shellcheck disable=SC2046 # four words
set -- $(ask captured jumbo "eth.src==$address && tcp")
expect "jumbo frames: the largest has 9014 bytes" "${2:-0}" -eq 9014
expect "jumbo frames: no wrong checksum on the wire" "${3:-none}" = 0
receive_file "4 MiB from the host in jumbo frames" "$host" 5002 4194304
iperf "TCP to the host in jumbo frames" -c "$host" -t 3
iperf "TCP from the host in jumbo frames" -c "$host" -t 3 -R
ip link set eth0 mtu 1500
ask mtu 1500
within 30 has_carrier eth0
check "the host answers with 1500 again" reaches "$host"

before=$(cat /sys/class/net/eth0/statistics/multicast)
received_before=$(statistic rx_multicast)
ip maddress add 01:00:5e:00:00:fb dev eth0
ask multicast 224.0.0.251 20
check "multicast that was joined comes in" within 5 multicast_counted "$received_before" 20
note "multicast in the kernel: $(($(cat /sys/class/net/eth0/statistics/multicast) - before))"
check "promiscuous mode" ip link set eth0 promisc on
check "the host answers in it" reaches "$host"
ip link set eth0 promisc off
check "the host answers after it" reaches "$host"

# An address of another's choosing must be the one that comes in.
ip link set eth0 address 02:aa:bb:cc:dd:ee
check "another address" within 30 has_carrier eth0
check "the host answers to another address" reaches "$host"
expect "no length errors" "$(statistic rx_length_errors)" -eq 0
