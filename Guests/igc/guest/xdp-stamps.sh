#!/bin/dash
# xdp_hw_metadata answers each frame to UDP port 9091 out of a zero-copy AF_XDP queue, prints the card's stamps of both,
# and the card's hash of the one that came in. The other card, in a namespace, sends and watches for the answers.
# Source of truth: tools/testing/selftests/bpf/xdp_hw_metadata.c.
frames=40
queues=$(ethtool -l eth0 | awk '/^Combined:/ { n = $2 } END { print n }')
# Nothing speaks that is not asked to: frames that come while a program detaches can end Linux
# (docs/upstream-suspicions.md).
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
ip netns add peer
ip netns exec peer sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
ip link set eth1 netns peer
ip address add 192.0.2.10/24 dev eth0
ip netns exec peer ip address add 192.0.2.11/24 dev eth1
ip link set eth0 up
ip netns exec peer ip link set eth1 up
check "the links come up" within 20 ip netns exec peer grep -qx 1 /sys/class/net/eth1/carrier
within 20 grep -qx 1 /sys/class/net/eth0/carrier
# The program compares with TAI, which here is the system's time.
phc_ctl eth0 set > /dev/null

# It sets up mqprio, for which 7.x's driver resets the card, and says so.
allow_log 'eth0: Reset adapter'

# start PROGRAM [OPTION]...: until it is attached.
start() {
    # Apart, because what it says of its end on the one would come in the middle of a line of the other.
    "$@" eth0 > /tmp/output 2> /tmp/errors &
    process=$!
    within 60 sh -c 'ip link show eth0 | grep -q prog/xdp' || {
        fail "$* attaches" "$(tail -n 3 /tmp/output /tmp/errors)"
        stop
        return 1
    }
    pass "$* attaches"
    # Where attaching takes the link down, it comes back.
    sleep 2
    within 20 grep -qx 1 /sys/class/net/eth0/carrier
    # The program of 6.12 asks the card for stamps of what comes in only.
    hwstamp_ctl -i eth0 -t 1 -r 1 > /dev/null
}
# stop: it prints what is left when it is interrupted.
stop() {
    kill -INT $process
    wait $process
    cat /tmp/errors >> /tmp/output
    cat /tmp/output
}
# send COUNT [VLAN]: frames one after another; prints how many answers came back within a second each.
send() {
    ip netns exec peer python3 - eth1 "$(cat /sys/class/net/eth0/address)" "$@" << 'PYTHON'
import socket, struct, sys, time
name, mac, count = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")), int(sys.argv[3])
tag = struct.pack("!HH", 0x8100, int(sys.argv[4], 0)) if len(sys.argv) > 4 else b""
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind((name, 0))
wire.settimeout(0.05)
own = wire.getsockname()[4]
answers = 0
for number in range(count):
    payload = b"frame %06d" % number
    udp = struct.pack("!HHHH", 5000 + number, 9091, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                       socket.inet_aton("192.0.2.11"), socket.inet_aton("192.0.2.10"))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + head[12:]
    wire.send(mac + own + tag + b"\x08\x00" + head + udp)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        try:
            frame = wire.recv(2048)
        except TimeoutError:
            continue
        if frame[6:12] == mac and payload in frame:
            answers += 1
            break
print(answers)
PYTHON
}
# deltas FROM TO: the nanoseconds between two stamps, one line for each frame, ascending.
deltas() { sed -n "s/^$1: .*delta to $2 .*(\\(-*[0-9]*\\)\\.[0-9]* usec)/\\1/p" /tmp/output | sort -n; }

# stamped: answers whose stamp is of the last second; a card that gave none leaves what the request had written there.
stamped() { deltas 'HW TX-complete-time' 'User TX-complete-time' | awk '$1 > 0 && $1 < 1000000' | wc -l; }

if start xdp_hw_metadata; then
    answers=$(send $frames)
    stop
    expect "every queue is zero-copy" "$(grep -c '^xsk_socket__fd() -> ' /tmp/output)" -eq "$queues"
    expect "every frame is answered" "$answers" -eq $frames
    expect "every frame that came in has the card's stamp" "$(grep -c '^HW RX-time: .* User RX-time' /tmp/output)" -eq $frames
    expect "every frame that came in has the card's hash" "$(grep -c '^rx_hash: 0x[0-9A-F]* with RSS type' /tmp/output)" -eq $frames
    expect "every answer has the card's stamp" "$(stamped)" -eq $frames
    expect "no answer is without" "$(grep -c '^No tx_timestamp' /tmp/output)" -eq 0
    note "$(ethtool -S eth0 | grep -E 'tx_hwtstamp|tx_queue_._packets' | tr -s ' \n' ' ')"
    # The BPF program's metadata lie where igc's driver keeps the stamp until it is asked for it; their last word, 0, is
    # where the seconds are.
    note "stamps whose seconds the driver lets the program overwrite:" \
        "$(grep -c '^HW RX-time: *[0-9]* (sec:0\..* User RX-time' /tmp/output) of $frames"
fi

if start xdp_hw_metadata_in_order; then
    answers=$(send $frames)
    stop
    expect "in order: every frame is answered" "$answers" -eq $frames
    expect "in order: every answer has the card's stamp" "$(stamped)" -eq $frames
    expect "a frame goes out after it came in, by the card's clock" "$(deltas 'HW RX-time' 'HW TX-complete-time' | head -n 1)" -gt 0
    expect "and within 100 ms" "$(deltas 'HW RX-time' 'HW TX-complete-time' | tail -n 1)" -lt 100000
    expect "the program sees it after it came in" "$(deltas 'HW RX-time' 'User RX-time' | head -n 1)" -gt 0
    expect "and within 100 ms, by the system's clock" "$(deltas 'HW RX-time' 'User RX-time' | tail -n 1)" -lt 100000
    note "card in to card out, us: $(deltas 'HW RX-time' 'HW TX-complete-time' | sed -n "$((frames / 2))p") at the median;" \
        "card out to its completion seen: $(deltas 'HW TX-complete-time' 'User TX-complete-time' | sed -n "$((frames / 2))p")"
fi

# Launch time: the answer is to leave the card at a time, 200 ms after the frame came in.
case $(uname -r) in
    6.12.*) launches= ;;
    *) launches=1 ;;
esac
if [ $launches ]; then
    phc_ctl eth0 set > /dev/null
    if start xdp_hw_metadata_in_order -l 200000000 -L 0; then
        answers=$(send 10 0x2001)
        stop
        expect "launch time: every frame is answered" "$answers" -eq 10
        expect "launch time: every answer has the card's stamp" "$(stamped)" -eq 10
        # GTXOFFSET has the card start 1.4 us early, for the way to the wire that a PHY takes.
        expect "launch time: none leaves before its time" "$(deltas 'HW Launch-time' 'HW TX-complete-time' | head -n 1)" -ge -2
        expect "launch time: none leaves 20 ms after it" "$(deltas 'HW Launch-time' 'HW TX-complete-time' | tail -n 1)" -lt 20000
        note "late by us: $(deltas 'HW Launch-time' 'HW TX-complete-time' | tr '\n' ' ')"
    fi
else
    skip "launch time" "igc of 6.12 has none for AF_XDP"
fi
