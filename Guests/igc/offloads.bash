# Segmentation and checksums, looked at on the wire.
# about: TSO and checksums, byte-exact, captured on the wire
# speed: slow
# limit: 400
connect a host

# ipv6: the host's end gets an address of that kind too.
answer_ipv6() {
    sysctl -qw net.ipv6.conf.host.disable_ipv6=0
    ip -6 address add 2001:db8::1/64 dev host nodad
}
guest one --card a --timeout 380 offloads
