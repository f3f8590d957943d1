# What the host of a scenario does about traffic when its guests ask: iperf3, files that are sent and received byte for
# byte, captures, frames of many flows. The programs are the fetched ones, so that any machine has them.
# Sourced by scenario.bash; needs machine.bash.
# shellcheck shell=bash disable=SC2154

# serve_iperf: iperf3 waits for the guest on the host's end of the cable, for one test at a time.
serve_iperf() { fetched usr/bin/iperf3 --server > "$keep/iperf3.log" 2>&1 < /dev/null & }

# hold_open: a file that nothing is ever written to and that never ends, so that nc goes on when it has read all.
hold_open() {
    [[ -p $work/hold ]] || mkfifo "$work/hold"
    echo "$work/hold"
}

# receive PORT: takes one connection and keeps what it sends.
answer_receive() {
    fetched usr/bin/busybox timeout 120 "$tree/usr/bin/busybox" nc -l -p "$1" \
        > "$work/received-$1" 2> /dev/null <> "$(hold_open)" &
    await_listener "$1"
}

# received PORT BYTES: the digest of what came, once that many bytes are there, or the time for it is over.
answer_received() {
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        (($(stat -c %s "$work/received-$1") < $2)) || break
        sleep 0.1
    done
    sha256sum < "$work/received-$1" | cut -d ' ' -f 1
}

# send PORT BYTES: offers that many random bytes to one connection; answers with their digest.
answer_send() {
    head -c "$2" /dev/urandom > "$work/sent-$1"
    fetched usr/bin/busybox timeout 120 "$tree/usr/bin/busybox" nc -l -p "$1" \
        < "$work/sent-$1" > /dev/null 2>&1 &
    await_listener "$1" && sha256sum < "$work/sent-$1" | cut -d ' ' -f 1
}

await_listener() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        if [[ $(ss -Hltn "sport = :$1") ]]; then return 0; fi
        sleep 0.05
    done
    echo "nobody listens on $1"
    return 1
}

# capture NAME: begins to keep every frame that is on the host's end of the cable.
answer_capture() {
    become_fetched usr/bin/tcpdump -Z root -i "$host_device" -s 0 -U --immediate-mode -w "$keep/$1.pcap" > /dev/null 2> "$work/$1.tcpdump" &
    echo $! > "$work/$1.pid"
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        if grep -qs listening "$work/$1.tcpdump"; then return 0; fi
        sleep 0.1
    done
    cat "$work/$1.tcpdump"
    return 1
}

# captured NAME FILTER: ends the capture and answers, about the frames that the filter lets through: "FRAMES LARGEST BAD
# UNCHECKED": how many there are, the length of the largest, how many have a wrong IP, TCP or UDP checksum, and how many
# have a TCP or UDP checksum that could not be looked at.
answer_captured() {
    local process tries last
    process=$(< "$work/$1.pid")
    # A last frame, a question for an address that nobody has, another each time: when it is in the file, all before it is.
    echo >> "$work/captures"
    last=$((200 + $(wc -l < "$work/captures")))
    for ((tries = 0; tries < 30; tries++)); do
        fetched usr/bin/ping -c 1 -W 1 "192.0.2.$last" > /dev/null 2>&1 || true
        if LC_ALL=C grep -aqP "\\xc0\\x00\\x02\\x$(printf %02x "$last")" "$keep/$1.pcap"; then break; fi
    done
    kill -TERM "$process"
    for ((tries = 0; tries < 50; tries++)); do
        kill -0 "$process" 2> /dev/null || break
        sleep 0.1
    done
    WIRESHARK_DATA_DIR=$tree/usr/share/wireshark WIRESHARK_PLUGIN_DIR=$work WIRESHARK_CONFIG_DIR=$work \
        fetched usr/bin/tshark -n -r "$keep/$1.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -Y "$2" -T fields -E separator=/s -E occurrence=f -e frame.len \
        -e ip.checksum.status -e tcp.checksum.status -e udp.checksum.status 2> /dev/null |
        awk '
            # A status is 0 for bad, 1 for good, 2 for not looked at; IP versions without a checksum have none.
            { frames++; if ($1 > largest) largest = $1 }
            { for (i = 2; i <= NF; i++) { if ($i == 0 || $i == 4) bad++; if ($i == 2) unchecked++ } }
            END { print frames + 0, largest + 0, bad + 0, unchecked + 0 }'
}

# knock ADDRESS tcp|udp COUNT: one segment or datagram to a closed port from each of many ports: that many flows.
answer_knock() {
    local number
    for ((number = 0; number < $3; number++)); do
        { echo knock > "/dev/$2/$1/9"; } 2> /dev/null || true
    done
}

# checksum_errors: how often the host's kernel found a wrong checksum in what came in.
answer_checksum_errors() {
    fetched usr/bin/nstat -asz 2> /dev/null | awk '/CsumErrors|IpInHdrErrors/ { sum += $2 } END { print sum + 0 }'
}

# mtu BYTES: of the host's end.
answer_mtu() { ip link set "$host_device" mtu "$1"; }

# tell KEY VALUE, told KEY: guests pass each other a word.
answer_tell() { printf '%s\n' "$2" > "$work/told-$1"; }
answer_told() { cat "$work/told-$1"; }
