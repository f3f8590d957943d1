# Jumbo frames, VLAN tags, multicast, other addresses.
# about: jumbo frames, VLAN, both, multicast
# speed: slow
# limit: 400
connect a host
serve_iperf

answer_vlan_mtu() { ip link set "host.$1" mtu "$2"; }

# multicast GROUP COUNT: datagrams to the group.
answer_multicast() {
    local number
    ip route replace "$1" dev host
    for ((number = 0; number < $2; number++)); do
        echo hello > "/dev/udp/$1/5353"
        sleep 0.02
    done
}
guest one --card a --timeout 380 frames
