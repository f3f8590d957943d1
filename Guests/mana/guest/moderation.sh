#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
reaches "$host"

shown=$(ethtool -c eth0)
echo "$shown"
expect_text "-c: the driver adapts it by itself" "$shown" '^Adaptive RX: on +TX: on'

# interrupts: how many the card's queues have raised so far; the first vector is the hardware channel's.
interrupts() {
    grep -- '-0000:01:00.0' /proc/interrupts | tail -n +2 |
        awk '{ for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum + 0 }'
}

# datagrams NAME: the interrupts for a thousand frames that come in evenly spaced, in `rate`.
datagrams() {
    local before frames_before frames
    reaches "$host"
    before=$(interrupts)
    frames_before=$(cat /sys/class/net/eth0/statistics/rx_packets)
    # 2500 a second, 400 microseconds from one to the next.
    check "$1: datagrams from the host" timeout 60 iperf3 --connect-timeout 10000 -c "$host" -R -t 4 \
        -u -b 8M -l 400 --pacing-timer 100
    frames=$(($(cat /sys/class/net/eth0/statistics/rx_packets) - frames_before))
    rate=$((($(interrupts) - before) * 1000 / frames))
    note "$1: $rate interrupts for 1000 of $frames frames"
    expect "$1: most of the frames came" "$frames" -ge 5000
}

check "-C: none" ethtool -C eth0 adaptive-rx off adaptive-tx off rx-usecs 0 rx-frames 0 tx-usecs 0 tx-frames 0
within 30 has_carrier eth0
datagrams "without moderation"
plain=$rate

check "-C: 1000 microseconds" ethtool -C eth0 rx-usecs 1000 rx-frames 255 tx-usecs 1000 tx-frames 255
within 30 has_carrier eth0
expect_text "-c shows it" "$(ethtool -c eth0)" '^rx-usecs:[[:space:]]*1000$'
datagrams "with moderation"
expect "interrupts with moderation, at most two thirds of those without" $((rate * 3)) -le $((plain * 2))

check "-C: adaptive again" ethtool -C eth0 adaptive-rx on adaptive-tx on
within 30 has_carrier eth0
check "the host answers ping" reaches "$host"
send_file "2 MiB to the host" "$host" 5001 2097152
receive_file "2 MiB from the host" "$host" 5002 2097152
expect "-C: more than the card can is refused" "$(ethtool -C eth0 rx-usecs 1024 2> /tmp/refusal; echo $?)" -ne 0
expect "no time-out of the transmitter" "$(transmit_timeouts)" -eq 0
