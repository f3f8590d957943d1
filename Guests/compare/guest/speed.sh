#!/bin/dash
# usage: speed ROUNDS CARD...: the cards are at 0000:01:00.0, 0000:02:00.0 and so on; the host has 10.0.1.1 at the other
# end of the first, 10.0.2.1 of the second. Measures all in turn, in each round; the first card is ours.

rounds=$1
shift
seconds=3

interface_of() { ls "/sys/bus/pci/devices/0000:0$1:00.0/net"; }

# per_second BEFORE AFTER NANOSECONDS
per_second() { awk -v n="$(($2 - $1))" -v t="$3" 'BEGIN { printf "%d\n", n * 1e9 / t }'; }

# tcp NUMBER OPTION...: what arrives, in Mbit/s.
tcp() {
    local host=10.0.$1.1
    shift
    timeout 60 iperf3 --format m -c "$host" -t $seconds -O 1 "$@" 2>&1 | tee /dev/console |
        sed -n 's/.* \([0-9]*\)\(\.[0-9]*\)\{0,1\} Mbits\/sec.* receiver$/\1/p' | tail -n 1
}

# frames_out NUMBER CARD BURST: frames of 60 bytes by the kernel's own generator, counted where they arrive.
frames_out() {
    local interface before after start
    interface=$(interface_of "$1")
    echo rem_device_all > /proc/net/pktgen/kpktgend_0
    echo "add_device $interface" > /proc/net/pktgen/kpktgend_0
    for word in "count 0" "pkt_size 60" "delay 0" "burst $3" "dst 10.0.$1.1" "dst_mac 02:00:00:00:00:99"; do
        echo "$word" > "/proc/net/pktgen/$interface"
    done
    echo start > /proc/net/pktgen/pgctrl &
    sleep 1
    start=$(ask time)
    before=$(ask frames "$2")
    sleep $seconds
    after=$(ask frames "$2")
    per_second "$before" "$after" $(($(ask time) - start))
    echo stop > /proc/net/pktgen/pgctrl
    wait
    # The generator's thread takes a moment to see it.
    sleep 0.5
    echo rem_device_all > /proc/net/pktgen/kpktgend_0
}

# frames_in NUMBER CARD: the host floods; counted by the driver.
frames_in() {
    local interface before after start
    interface=$(interface_of "$1")
    ask flood "$2" "$(cat "/sys/class/net/$interface/address")" > /dev/console
    sleep 2
    start=$(ask time)
    before=$(cat "/sys/class/net/$interface/statistics/rx_packets")
    sleep $seconds
    after=$(cat "/sys/class/net/$interface/statistics/rx_packets")
    per_second "$before" "$after" $(($(ask time) - start))
    ask still > /dev/console
    sleep 1
}

# round_trips NUMBER: pings, each sent when the last was answered.
round_trips() {
    local start
    start=$(ask time)
    ping -q -f -c 2000 -W 5 "10.0.$1.1" > /dev/console
    per_second 0 2000 $(($(ask time) - start))
}

measures="tcp-out tcp-in tcp4-out tcp4-in frames-out burst-frames-out frames-in round-trips"
measure() {
    case $1 in
        tcp-out) tcp "$2" ;;
        tcp-in) tcp "$2" -R ;;
        tcp4-out) tcp "$2" -P 4 ;;
        tcp4-in) tcp "$2" -P 4 -R ;;
        frames-out) frames_out "$2" "$3" 1 ;;
        burst-frames-out) frames_out "$2" "$3" 16 ;;
        frames-in) frames_in "$2" "$3" ;;
        round-trips) round_trips "$2" ;;
    esac
}
unit() {
    case $1 in
        tcp*) echo "Mbit/s" ;;
        round-trips) echo "per second" ;;
        *) echo "frames/s" ;;
    esac
}

number=0
for card; do
    number=$((number + 1))
    interface=$(interface_of $number)
    ip address add "10.0.$number.10/24" dev "$interface"
    ip link set "$interface" up
    check "$card: the host answers" within 30 ping -c 1 -W 1 "10.0.$number.1"
done

# Queue N's interrupts go to CPU N, as Intel's own script has it. Where the kernel puts them by itself depends on which
# card came first, and weighs more than what is compared here: a quarter of the frames sent one by one.
cpus=$(nproc)
grep -oi '[0-9]*:.*-[tr]x.*-[0-9]*$' /proc/interrupts | while read -r line; do
    echo $((${line##*-} % cpus)) > "/proc/irq/${line%%:*}/smp_affinity_list"
done

for round in $(seq 1 "$rounds"); do
    for name in $measures; do
        number=0
        for card; do
            number=$((number + 1))
            value=$(measure "$name" $number "$card")
            echo "round $round: $name $card $value"
            echo "${value:-0}" >> "/tmp/$name-$card"
        done
    done
done

median() { sort -n "/tmp/$1-$2" | sed -n "$(((rounds + 1) / 2))p"; }
for name in $measures; do
    ours=$(median "$name" "$1")
    line="$name: $1 $ours"
    for card; do
        [ "$card" != "$1" ] || continue
        line="$line, $card $(median "$name" "$card")"
    done
    note "$line $(unit "$name")"
    # How long one frame takes there and back is told, without a limit: it is no throughput.
    [ "$name" != round-trips ] || continue
    for card; do
        [ "$card" != "$1" ] || continue
        theirs=$(median "$name" "$card")
        ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", (b > 0) ? a / b : 0 }')
        name_of_check="$name: at least 1.0 × $card"
        if [ "$ours" -gt 0 ] && [ "$theirs" -gt 0 ] && [ "$ours" -ge "$theirs" ]; then
            pass "$name_of_check"
            note "$name_of_check: $ratio"
        else
            fail "$name_of_check" "$ratio × ($ours against $theirs $(unit "$name"))"
        fi
    done
done
