# Segmentation and checksums, looked at on the wire.
# about: TSO and checksums, byte-exact, captured on the wire
# speed: slow
# limit: 400
connect a host

# ipv6: the host's end gets an address of that kind too.
answer_ipv6() {
    ipv6_of host on && ip -6 address add 2001:db8::1/64 dev host nodad
}

# datagrams ADDRESS PORT: one of each length from 1 to 1472, all of them the digit 7; a little apart, as nobody repeats
# what is lost.
answer_datagrams() {
    local length text
    for ((length = 1; length <= 1472; length++)); do
        text+=7
        # Not the shell's own, whose buffer may be smaller than the datagram.
        env printf '%s' "$text" > "/dev/udp/$1/$2"
        ((length % 50)) || sleep 0.1
    done
}
guest one --card a --image python --memory 768M --timeout 380 offloads
