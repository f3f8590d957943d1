# Jumbo frames, multicast, another address.
# about: jumbo frames byte-exact, multicast, another address
# speed: slow
# limit: 400
connect a host
serve_iperf

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
