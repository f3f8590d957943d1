#!/bin/dash
# What the guest scripts of network cards share: the first card is eth0, its PCI address 0000:01:00.0; the host's end of the
# cable has 192.0.2.1.

# shellcheck disable=SC2034 # who reads this file uses them
{
    card=/sys/bus/pci/devices/0000:01:00.0
    host=192.0.2.1
    driver=$(basename "$(readlink "$card/driver")")
}

has_carrier() { [ "$(cat "/sys/class/net/$1/carrier" 2> /dev/null)" = 1 ]; }
has_no_carrier() { [ "$(cat "/sys/class/net/$1/carrier" 2> /dev/null)" = 0 ]; }

# bring_up ADDRESS: eth0 with this address, up, with a link.
bring_up() {
    ip address replace "$1/24" dev eth0
    ip link set eth0 up
    check "the link comes up" within 30 has_carrier eth0
}

# reaches ADDRESS [OPTION of ping]...: an answer within some seconds; the first frames may be lost while all comes up.
reaches() {
    local address=$1
    shift
    within 10 ping -c 1 -W 2 "$@" "$address"
}

# statistic NAME: a counter of ethtool -S.
statistic() { ethtool -S eth0 | sed -n "s/^ *$1: //p"; }

# transmit_timeouts: how often the kernel found that a queue of eth0 had not sent for too long.
transmit_timeouts() { cat /sys/class/net/eth0/queues/tx-*/tx_timeout | awk '{ sum += $1 } END { print sum + 0 }'; }

# queue_count: the queues of eth0 in each direction.
queue_count() { find /sys/class/net/eth0/queues -name 'rx-*' | wc -l; }

# checksum_errors: how often this kernel found a wrong checksum in what came in.
checksum_errors() { nstat -asz 2> /dev/null | awk '/CsumErrors|IpInHdrErrors/ { sum += $2 } END { print sum + 0 }'; }

digest() { sha256sum "$@" | cut -d ' ' -f 1; }

# send_file NAME ADDRESS PORT BYTES: random bytes go to the host, which must have got the same.
send_file() {
    local sum
    head -c "$4" /dev/urandom > /tmp/sent
    sum=$(digest /tmp/sent)
    ask receive "$3"
    timeout 120 nc "$2" "$3" < /tmp/sent
    expect "$1" "$(ask received "$3" "$4")" = "$sum"
}

# receive_file NAME ADDRESS PORT BYTES: the host's random bytes come in, the same that it sent.
receive_file() {
    local sum
    sum=$(ask send "$3" "$4")
    [ -p /tmp/hold ] || mkfifo /tmp/hold
    timeout 120 nc "$2" "$3" <> /tmp/hold > /tmp/received
    expect "$1" "$(digest /tmp/received)" = "$sum"
}

# iperf NAME OPTION...: runs iperf3 to the host; what arrives must be at least 1 Mbit/s; the rate is noted.
iperf() {
    local name=$1 rate tries=1
    shift
    until timeout 60 iperf3 --format m --connect-timeout 10000 "$@" > /tmp/iperf.output 2>&1; do
        # Between two tests the server closes its listening socket, and resets whoever is waiting there.
        if [ $tries = 3 ] || ! grep -q 'unable to receive control message.*reset by peer' /tmp/iperf.output; then
            fail "$name" "iperf3 $*: $(tail -n 5 /tmp/iperf.output)"
            return 1
        fi
        tries=$((tries + 1))
        sleep 1
    done
    cat /tmp/iperf.output
    rate=$(sed -n 's/.* \([0-9.]*\) Mbits\/sec.* receiver$/\1/p' /tmp/iperf.output | tail -n 1)
    expect "$name" "${rate%.*}" -ge 1
    note "$name: $rate Mbit/s"
}

# iperf_datagrams NAME OPTION...: 5 Mbit/s of UDP, of which a tenth may be lost. A machine that is busy with other things
# loses more now and then; what is wrong with the card would be so three times.
iperf_datagrams() {
    local name=$1 lost='' tries
    shift
    for tries in 1 2 3; do
        iperf "$name, try $tries" "$@" -t 3 -u -b 5M -l 1400 || return
        lost=$(sed -n 's/.*(\([0-9]*\)[0-9.e+-]*%) *receiver$/\1/p' /tmp/iperf.output | tail -n 1)
        note "$name: $lost % lost"
        [ "${lost:-100}" -gt 10 ] || break
    done
    expect "$name: at least nine of ten arrive" "${lost:-100}" -le 10
}

# multicast_counted BEFORE COUNT: the card has counted that many multicast frames since.
multicast_counted() { [ $(($(statistic rx_multicast) - $1)) -ge "$2" ]; }

# transfer NAME sender|receiver ADDRESS PORT BYTES: between two guests that both call it. Random bytes go from the sender
# to the receiver, which has the address.
transfer() {
    local name=$1 role=$2 address=$3 port=$4 bytes=$5
    if [ "$role" = sender ]; then
        head -c "$bytes" /dev/urandom > /tmp/sent
        ask tell "digest-$port" "$(digest /tmp/sent)"
        meet "listening-$port" 2
        # It ends when the other end has all and closes.
        check "$name: is sent" sh -c "timeout 120 nc $address $port < /tmp/sent"
        meet "sent-$port" 2
    else
        [ -p /tmp/hold ] || mkfifo /tmp/hold
        timeout 150 nc -l -p "$port" <> /tmp/hold > /tmp/received &
        within 10 sh -c "ss -Hltn | grep -q :$port"
        meet "listening-$port" 2
        meet "sent-$port" 2
        wait $!
        expect "$name: arrives byte for byte" "$(digest /tmp/received)" = "$(ask told "digest-$port")"
    fi
}
