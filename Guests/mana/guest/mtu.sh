#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
for mtu in 68 576 1500 3000 9000; do
    check "an MTU of $mtu" ip link set eth0 mtu $mtu
    ask mtu $mtu
    check "MTU $mtu: the link comes up" within 30 has_carrier eth0
    check "MTU $mtu: the host answers" reaches "$host"
    # 20 of IP, 8 of ICMP
    check "MTU $mtu: the longest ping that is not cut" reaches "$host" -M "do" -s $((mtu - 28))
    expect "MTU $mtu: one that is longer does not go" \
        "$(ping -c 1 -W 2 -M "do" -s $((mtu - 27)) "$host" > /tmp/ping 2>&1; echo $?)" -ne 0
done
expect "no MTU above the card's" "$(ip link set eth0 mtu 9001 2> /tmp/refusal; echo $?)" -ne 0
ask mtu 9000
send_file "2 MiB to the host with an MTU of 9000" "$host" 5001 2097152
receive_file "2 MiB from the host with an MTU of 9000" "$host" 5002 2097152

# While frames pass.
ip link set eth0 mtu 1500
iperf3 -c "$host" -t 12 > /tmp/iperf.output 2>&1 &
sleep 2
for mtu in 9000 1400 1500; do
    ip link set eth0 mtu $mtu
    within 30 has_carrier eth0
    sleep 2
done
check "TCP goes on while the MTU changes" wait $!
cat /tmp/iperf.output
check "the host answers after it" reaches "$host"
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0
