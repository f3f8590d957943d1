#!/bin/dash
# The card's clock (PTP hardware clock): what it says it can do, setting, shifting, steering, reading it beside the
# system's, its pins and its pulse per second.
# Sources of truth: igc_ptp.c of Linux; testptp.c and phc.sh of the kernel's selftests; phc_ctl(8).
device=/dev/$(basename /sys/class/net/eth0/device/ptp/ptp*)
driver=$(basename "$(readlink /sys/class/net/eth0/device/driver)")
ip link set eth0 up
check "the link comes up" within 20 grep -qx 1 /sys/class/net/eth0/carrier

ptp() { testptp -d "$device" "$@" 2>&1; }
# capability WORDS: the number before these words in what testptp -c prints.
capability() { ptp -c | sed -n "s/^ *\([0-9]*\) $1.*/\1/p"; }
# seconds: the clock's time, whole seconds.
seconds() { ptp -g | sed -n 's/^clock time: \([0-9]*\)\..*/\1/p'; }
# between NAME VALUE LOW HIGH
between() {
    if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then pass "$1"; else fail "$1" "$2 is not in $3...$4"; fi
}
# rate SECONDS: how much faster than the system's the clock runs, in parts per billion, measured over these seconds.
rate() {
    python3 - "$device" "$1" << 'PYTHON'
import os, sys, time
clock = (~os.open(sys.argv[1], os.O_RDONLY) << 3) | 3
def pair():
    # The narrowest of some readings: the system's clock before and after, the card's between.
    best = None
    for _ in range(20):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        card = time.clock_gettime_ns(clock)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        if best is None or after - before < best[0]:
            best = (after - before, (before + after) // 2, card)
    return best[1:]
system0, card0 = pair()
time.sleep(float(sys.argv[2]))
system1, card1 = pair()
print(round(((card1 - card0) / (system1 - system0) - 1) * 1e9))
PYTHON
}

# ---- what it says it can do
case $driver in
    igc)
        expect "testptp -c: largest frequency adjustment" "$(capability 'maximum frequency')" -eq 62499999
        expect "testptp -c: external time stamp channels" "$(capability 'external time')" -eq 2
        expect "testptp -c: periodic signals" "$(capability 'programmable periodic')" -eq 2
        expect "testptp -c: pulse per second" "$(capability 'pulse')" -eq 1
        expect "testptp -c: pins" "$(capability 'programmable pins')" -eq 4
        expect "testptp -c: no phase adjustment" "$(capability 'adjust_phase')" -eq 0
        # Precise cross time stamps need PCIe PTM, which the card does not offer.
        expect "testptp -c: no cross time stamps without PTM" "$(capability 'cross')" -eq 0
        expect_text "testptp -X is refused without PTM" "$(ptp -X)" 'PTP_SYS_OFFSET_PRECISE: Operation not supported'
        expect_text "testptp -o is refused: no phase adjustment" "$(ptp -o 100)" 'Operation not supported'
        ;;
    *) note "capabilities of another card: $(ptp -c)" ;;
esac

# ---- set and read
expect_text "testptp -s: set from the system's time" "$(ptp -s)" '^set time okay'
now=$(date +%s)
between "testptp -g: it has the system's time" "$(seconds)" $((now - 1)) $((now + 2))
expect_text "testptp -T: set to a time" "$(ptp -T 1000000)" '^set time okay'
between "testptp -g: it has that time" "$(seconds)" 1000000 1000003
expect_text "testptp -t: a shift by seconds" "$(ptp -t 5000)" '^time shift okay'
between "the shift forward was made" "$(seconds)" 1005000 1005006
ptp -t -5000
between "the shift back was made" "$(seconds)" 1000000 1000010
ptp -T 1000000
expect_text "testptp -n: a shift by nanoseconds" "$(ptp -n 900000000)" '^time shift okay'
check "ten thousand readings never go back" python3 - "$device" << 'PYTHON'
import os, sys, time
clock = (~os.open(sys.argv[1], os.O_RDONLY) << 3) | 3
last = time.clock_gettime_ns(clock)
for reading in range(10000):
    now = time.clock_gettime_ns(clock)
    assert now > last, f"reading {reading}: {now} after {last}"
    last = now
PYTHON
check "times at the edges are kept" python3 - "$device" << 'PYTHON'
import os, sys, time
clock = (~os.open(sys.argv[1], os.O_RDWR) << 3) | 3
for wanted in (0, 999_999_000, 4_294_967_295 * 10**9, 1_700_000_000_999_999_999):
    time.clock_settime_ns(clock, wanted)
    late = time.clock_gettime_ns(clock) - wanted
    assert 0 <= late < 10**9, f"{wanted}: {late} ns later"
PYTHON

# ---- frequency: measured against the system's clock, of which nobody says that it is right, so against the clock as it
# runs unsteered
ptp -s
ptp -f 0
plain=$(rate 3)
note "unsteered, against the system's clock: $plain ppb"
expect_text "testptp -f: a frequency" "$(ptp -f 50000000)" '^frequency adjustment okay'
between "5 % faster is 5 % faster" $(($(rate 2) - plain)) 49000000 51000000
ptp -f -50000000
between "5 % slower is 5 % slower" $(($(rate 2) - plain)) -51000000 -49000000
ptp -f 1000000
between "0.1 % faster is 0.1 % faster" $(($(rate 4) - plain)) 800000 1200000
if [ "$driver" = igc ]; then
    expect_text "more than it can is refused" "$(ptp -f 62500001)" 'Numerical result out of range'
fi
ptp -f 0

# ---- beside the system's clock
expect_text "testptp -k: offsets" "$(ptp -k 5)" 'system and phc clock time offset request okay'
ptp -s
offset=$(ptp -k 25 | sed -n 's/^system.phc clock time offset is \(-*[0-9]*\) ns/\1/p' | sed 's/^-//' | sort -n | head -n 1)
between "testptp -k: the least offset after a set" "$offset" 0 100000000
note "least offset after a set: $offset ns"
expect_text "testptp -x: pairs of readings" "$(ptp -x 5)" '^extended timestamp request returned 5 samples'
check "testptp -x: the system's readings enclose the card's" \
    [ "$(ptp -x 10 | awk '
        /before:/ { before = $NF } /phc time:/ { card = $NF }
        /after:/ && card - before >= -1 && $NF >= before && $NF - card >= -1 { enclosed++ }
        END { print enclosed }')" = 10 ]
ptp -T 2000000000
expect_text "testptp -S: the system's time from the clock" "$(ptp -S)" '^set time okay'
between "the system has the clock's time" "$(date +%s)" 2000000000 2000000005

# ---- pins
case $driver in
    igc)
        expect "testptp -l: pins by name" "$(ptp -l | grep -c '^name SDP[0-3] index [0-3] func 0')" -eq 4
        expect_text "testptp -L: a pin takes events" "$(ptp -i 0 -L 0,1)" '^set pin function okay'
        expect_text "testptp -L: a pin gives a signal" "$(ptp -i 0 -L 1,2)" '^set pin function okay'
        expect "the pins have their functions" "$(ptp -l | grep -cE 'SDP0 index 0 func 1 chan 0|SDP1 index 1 func 2 chan 0')" -eq 2
        expect_text "testptp -p: a signal of half a second, by frequency" "$(ptp -i 0 -p 500000000)" 'periodic output request okay'
        expect_text "testptp -p: a signal of 1.6 seconds, by target times" "$(ptp -i 0 -p 1600000000)" 'periodic output request okay'
        # Target times come by an interrupt each, from start on; the driver writes the next one.
        before=$(awk '/eth0$/ { print $2 + $3 + $4 + $5 }' /proc/interrupts)
        sleep 6
        after=$(awk '/eth0$/ { print $2 + $3 + $4 + $5 }' /proc/interrupts)
        expect "target times go on by themselves" $((after - before)) -ge 2
        expect_text "testptp -p 0: no signal" "$(ptp -i 0 -p 0)" 'periodic output request okay'
        # Nothing is wired to the pins: a request is taken, and no event is made up.
        # It prints as it goes only to a terminal.
        timeout 3 python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' testptp -d "$device" -i 0 -e 1 > /tmp/events 2>&1
        expect_text "testptp -e: external events can be asked for" "$(cat /tmp/events)" '^external time stamp request okay'
        expect "no event comes where nothing is wired" "$(grep -c '^event' /tmp/events)" -eq 0
        expect_text "testptp -z: combinations of edges" "$(ptp -i 0 -z)" 'rising|PTP_EXTTS_REQUEST'
        ptp -i 0 -L 0,0 && ptp -i 0 -L 1,0
        ;;
    *) skip "pins" "another card" ;;
esac

# ---- pulse per second: the card interrupts at each of its seconds
modprobe pps_core 2> /dev/null
if [ -e /sys/class/pps/pps0/assert ] && [ "$(capability 'pulse')" = 1 ]; then
    ptp -s
    expect_text "testptp -P 1: pulse per second" "$(ptp -P 1)" 'pps for system time request okay'
    sleep 2
    first=$(sed 's/.*#//' /sys/class/pps/pps0/assert)
    sleep 10
    second=$(sed 's/.*#//' /sys/class/pps/pps0/assert)
    between "ten seconds have ten pulses" $((second - first)) 9 11
    # A pulse is told with the system's time; both clocks agree, so it comes soon after a full second.
    fraction=$(sed 's/.*\.\([0-9]*\)#.*/\1/' /sys/class/pps/pps0/assert)
    note "a pulse came $fraction ns after the system's second"
    ptp -P 0
    sleep 2
    first=$(sed 's/.*#//' /sys/class/pps/pps0/assert)
    sleep 3
    expect "testptp -P 0: no pulse" "$(sed 's/.*#//' /sys/class/pps/pps0/assert)" = "$first"
else
    skip "pulse per second" "the card offers none"
fi

# ---- phc_ctl
# Options end at --, as a negative number would be one.
expect_text "phc_ctl set and get" "$(phc_ctl eth0 set 1000 get 2>&1)" 'clock time is 100[0-2]\.'
expect_text "phc_ctl adj" "$(phc_ctl eth0 set 1000 adj 500 get 2>&1)" 'clock time is 150[0-2]\.'
expect_text "phc_ctl adj back" "$(phc_ctl eth0 -- set 1000 adj -500 get 2>&1)" 'clock time is 50[0-2]\.'
expect_text "phc_ctl freq" "$(phc_ctl eth0 freq 1000 freq 2>&1)" 'clock frequency offset is 1000\.|999\.9'
expect_text "phc_ctl caps" "$(phc_ctl eth0 caps 2>&1)" 'maximum frequency'
phc_ctl eth0 freq 0 set > /dev/null 2>&1
offset=$(phc_ctl eth0 cmp 2>&1 | sed -n 's/.*offset from CLOCK_REALTIME is \(-*[0-9]*\)ns/\1/p' | sed 's/^-//')
between "phc_ctl cmp after a set" "${offset:-999999999999}" 0 500000000

# ---- igc keeps the time across ifdown, which resets the card; igb does not
if [ "$driver" = igc ]; then
    ptp -T 3000000
    ip link set eth0 down
    sleep 3
    ip link set eth0 up
    between "the time goes on while the interface is down" "$(seconds)" 3000003 3000010
fi
