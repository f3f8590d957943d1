#!/bin/dash
# TCP segmentation and checksums, in every combination, seen from the other end: what arrives is what was sent, no frame
# is longer than a frame may be, and every checksum on the cable is right.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
reaches "$host"
address=$(cat /sys/class/net/eth0/address)
port=6000

# on_the_wire NAME LARGEST: the capture of this name has frames of ours, none longer than that, and no wrong checksum.
on_the_wire() {
    local frames largest bad unchecked
    # shellcheck disable=SC2046 # four words
    set -- "$1" "$2" $(ask captured "$(echo "$1" | tr -cs 'a-z0-9\n' -)" "eth.src==$address")
    frames=${3:-0} largest=${4:-0} bad=${5:-none} unchecked=${6:-none}
    note "$1: $frames frames, the largest of $largest bytes"
    expect "$1: the wire had the frames" "$frames" -ge 100
    expect "$1: the largest frame is full" "$largest" -eq "$2"
    expect "$1: no wrong checksum on the wire" "$bad" = 0
    expect "$1: every checksum was looked at" "$unchecked" = 0
}

# segmentation_counted NAME on|off BEFORE: the card's own counter of segmented sends moves only with segmentation.
segmentation_counted() {
    local moved=$(($(statistic tx_tcp_seg_good) - $3))
    if [ "$2" = on ]; then
        expect "$1: the card segmented" $moved -gt 0
    else
        expect "$1: the card did not segment" $moved -eq 0
    fi
}

for checksums in on off; do
    for segmentation in on off; do
        # Segmentation needs the card's checksums.
        [ "$checksums $segmentation" != "off on" ] || continue
        ethtool -K eth0 tx $checksums rx $checksums tso $segmentation
        within 30 has_carrier eth0
        name="tx and rx checksums $checksums, tso $segmentation"
        check "$name: set" sh -c "ethtool -k eth0 | grep -q '^tcp-segmentation-offload: $segmentation'"
        before=$(statistic tx_tcp_seg_good)
        reaches "$host"
        ask capture "$(echo "$name" | tr -cs 'a-z0-9\n' -)"
        port=$((port + 1))
        send_file "$name: 2 MiB to the host" "$host" $port 2097152
        on_the_wire "$name" 1514
        segmentation_counted "$name" $segmentation "$before"
        port=$((port + 1))
        receive_file "$name: 2 MiB from the host" "$host" $port 2097152
    done
done
ethtool -K eth0 tx on rx on tso on
within 30 has_carrier eth0

# The same over IPv6, whose headers are of another length.
ip -6 address add 2001:db8::10/64 dev eth0 nodad
if ask ipv6; then
    check "IPv6: the host answers ping" within 10 ping -6 -c 1 -W 2 2001:db8::1
    before=$(statistic tx_tcp_seg_good)
    ask capture ipv6
    send_file "IPv6: 2 MiB to the host" 2001:db8::1 6101 2097152
    on_the_wire ipv6 1514
    segmentation_counted ipv6 on "$before"
    receive_file "IPv6: 2 MiB from the host" 2001:db8::1 6102 2097152
else
    skip "IPv6" "the host has none"
fi

# Datagrams of every length, out and in: the checksum over odd lengths, frames that need padding, fragments.
ask capture datagrams
check "datagrams of every length go out" python3 /doorbell/datagrams.py send "$host" 9
# shellcheck disable=SC2046 # four words
set -- $(ask captured datagrams "eth.src==$address && udp.dstport==9")
expect "datagrams: the wire had all 1600" "${1:-0}" -ge 1600
expect "datagrams: no wrong checksum on the wire" "${3:-none}" = 0
expect "datagrams: every checksum was looked at" "${4:-none}" = 0
python3 /doorbell/datagrams.py receive 9000 > /tmp/datagrams 2>&1 &
within 20 sh -c 'ss -Hlun | grep -q :9000'
ask datagrams 192.0.2.10 9000
if wait $!; then pass "datagrams of every length come in"; else fail "datagrams of every length come in" "$(cat /tmp/datagrams)"; fi

expect "the guest saw no wrong checksum" "$(checksum_errors)" -eq 0
expect "the host saw no wrong checksum" "$(ask checksum_errors)" -eq 0
