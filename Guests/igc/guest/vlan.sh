#!/bin/dash
# usage: vlan 10|11: the last part of this guest's address. VLAN tags by the card and by the kernel, plain and in jumbo
# frames, between two guests; the host sees what is said to all.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

if [ "$1" = 10 ]; then
    role=sender back=receiver
else
    role=receiver back=sender
fi
other=198.51.100.$((21 - $1))
bring_up "192.0.2.$1"
modprobe 8021q
check "a VLAN on the card" ip link add link eth0 name eth0.7 type vlan id 7
ip address add "198.51.100.$1/24" dev eth0.7
ip link set eth0.7 up
port=6000

for offload in on off; do
    name="tags by the card $offload"
    ethtool -K eth0 rxvlan $offload txvlan $offload
    within 30 has_carrier eth0
    meet "set-$offload" 2 || exit
    check "$name: the other guest answers in the VLAN" reaches $other
    meet "reached-$offload" 2
    if [ "$1" = 10 ]; then
        # A question to all, for an address that nobody has: the switch shows it to the host, tag and all.
        ask capture "vlan-$offload"
        ping -c 1 -W 1 198.51.100.77
        # shellcheck disable=SC2046 # four words
        set -- "$1" $(ask captured "vlan-$offload" "vlan.id==7 && arp && eth.src==$(cat /sys/class/net/eth0/address)")
        expect "$name: the wire has the tag" "${2:-0}" -ge 1
    fi
    port=$((port + 2))
    transfer "$name: 2 MiB" $role $other $((port)) 2097152
    transfer "$name: 2 MiB back" $back $other $((port + 1)) 2097152
    check "$name: the host answers untagged frames" reaches "$host"
done

# Another VLAN is another network: frames with a tag that nobody here has must not come up as plain ones.
ip link add link eth0 name eth0.8 type vlan id 8
ip link set eth0.8 up
ethtool -K eth0 rxvlan on txvlan on
ip link set eth0 mtu 9000
ip link set eth0.7 mtu 9000
within 30 has_carrier eth0
meet jumbo 2
check "a tagged ping of 8972 bytes" within 15 ping -c 1 -W 5 -M "do" -s 8972 $other
transfer "2 MiB in tagged jumbo frames" $role $other 6201 2097152
transfer "2 MiB back in tagged jumbo frames" $back $other 6202 2097152
expect "nothing came in on the other VLAN" "$(cat /sys/class/net/eth0.8/statistics/rx_packets)" -eq 0
expect "no length errors" "$(statistic rx_length_errors)" -eq 0
expect "no wrong checksum" "$(checksum_errors)" -eq 0
meet finished 2
