#!/bin/dash
# Each suspicion is a trial whose outcome is a note; what is checked is that the trial could be made.
# Source of the suspicions: igc_xsk_wakeup of 6.12, igc_construct_skb_zc and igc_get_tstamp of 6.12 and 7.3.
allow_log 'eth[01]: Reset adapter'
# The first suspicion leaves 6.12's transmit queues standing.
allow_log 'Tx timestamp (timeout|hang)|NETDEV WATCHDOG: .*transmit queue'

# Nothing speaks that is not asked to: frames that come while a program detaches can end Linux (suspicions-crashes).
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
for name in eth0 eth1; do ip link set $name up; done
ip address add 192.0.2.10/24 dev eth0
linked() { [ "$(cat /sys/class/net/eth0/carrier)$(cat /sys/class/net/eth1/carrier)" = 11 ]; }
check "the links come up" within 20 linked
expect "two CPUs make two queues, whose receive and transmit rings have vectors of their own" \
    "$(grep -cE 'eth0-(rx|tx)-' /proc/interrupts)" -eq 4

# start: the kernel's program, zero-copy on all queues of eth0; it passes all but UDP port 9091 on to the stack.
start() {
    xdp_hw_metadata eth0 > /tmp/output 2>&1 &
    process=$!
    check "xdp_hw_metadata attaches" within 60 sh -c 'ip link show eth0 | grep -q prog/xdp'
    sleep 2
    within 20 linked
}
stop() {
    kill -INT $process
    wait $process
    cat /tmp/output
}
frames=20

# 1. A wake-up of a queue whose rings have two vectors: 6.12 wakes the receive ring only, and answers stay.
start
python3 - "$(cat /sys/class/net/eth0/address)" $frames > /tmp/answers << 'PYTHON'
import socket, struct, sys, time
mac, count = bytes.fromhex(sys.argv[1].replace(":", "")), int(sys.argv[2])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("eth1", 0))
wire.settimeout(0.05)
own = wire.getsockname()[4]
answers = 0
for number in range(count):
    udp = struct.pack("!HHHH", 5000 + number, 9091, 18, 0) + b"frame %04d" % number
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                       socket.inet_aton("192.0.2.11"), socket.inet_aton("192.0.2.10"))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + head[12:]
    wire.send(mac + own + b"\x08\x00" + head + udp)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        try:
            frame = wire.recv(2048)
        except TimeoutError:
            continue
        if frame[6:12] == mac and b"frame %04d" % number in frame:
            answers += 1
            break
print(answers)
PYTHON
answers=$(cat /tmp/answers)
stop
expect "every frame reached the program" "$(grep -c '^rx_hash\|^No rx_hash' /tmp/output)" -eq $frames
if [ "$answers" = $frames ]; then
    note "wake-up with two vectors: all $frames answers leave at once"
else
    note "wake-up with two vectors, reproduced: $answers of $frames answers leave within 1.5 s"
fi

# 2. Stamps of frames that the program passes on: the stack's copy of the frame points to the stamp in the zero-copy
# buffer, which is given back at once. Whoever looks later finds another frame's stamp, or what a program wrote there.
# burst: bursts of frames from the other card, received by a packet socket some time later, with the card's stamps; frames of
# one sender come in order, so do their stamps, and no two are the same.
burst() {
    python3 - "$(cat /sys/class/net/eth0/address)" << 'PYTHON'
import socket, struct, sys, time
mac, kind, burst, rounds = bytes.fromhex(sys.argv[1].replace(":", "")), 0x88b5, 200, 20
receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
receiver.bind(("eth0", kind))
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
receiver.setsockopt(socket.SOL_SOCKET, 37, (1 << 2) | (1 << 6))  # SO_TIMESTAMPING: receive hardware, raw hardware
receiver.settimeout(1)
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(("eth1", 0))
arrived = stamped = wrong = 0
for _ in range(rounds):
    for number in range(burst):
        sender.send(mac + bytes(6) + struct.pack("!HI", kind, number) + bytes(60))
    time.sleep(0.3)
    last = 0
    while True:
        try:
            frame, control, _, _ = receiver.recvmsg(2048, 512)
        except TimeoutError:
            break
        arrived += 1
        for level, type, data in control:
            if level == socket.SOL_SOCKET and type == 37:
                seconds, nanoseconds = struct.unpack("6q", data)[4:]
                stamp = seconds * 10**9 + nanoseconds
                stamped += 1
                wrong += stamp <= last
                last = stamp
print(f"arrived={arrived} stamped={stamped} wrong={wrong}")
PYTHON
}
hwstamp_ctl -i eth0 -t 1 -r 1 > /dev/null
burst > /tmp/stamps
expect_text "without zero-copy every frame has its own stamp" "$(cat /tmp/stamps)" 'stamped=[1-9][0-9]* wrong=0$'
start
hwstamp_ctl -i eth0 -t 1 -r 1 > /dev/null
burst > /tmp/stamps
stop
result=$(cat /tmp/stamps)
expect "most frames that are passed on arrive" "$(echo "$result" | sed 's/arrived=\([0-9]*\).*/\1/')" -gt 2000
case $result in
    *wrong=0) note "stamps of frames that are passed on: right ($result)" ;;
    *) note "stamps of frames that are passed on, reproduced: $result" ;;
esac
