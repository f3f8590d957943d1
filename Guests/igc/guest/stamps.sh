#!/bin/dash
# Hardware time stamps of frames from one card to the other, on the way out and in, beside the cards' own clocks.
# Sources of truth: hwstamp_ctl(8), Documentation/networking/timestamping.rst, ethtool(8) -T.
for name in eth0 eth1; do
    ip link set $name up
done
check "the links come up" within 20 grep -qx 1 /sys/class/net/eth0/carrier /sys/class/net/eth1/carrier
within 20 grep -qx 1 /sys/class/net/eth1/carrier

stamping() { hwstamp_ctl -i "$1" -t "$2" -r "$3" 2>&1; }

expect_text "ethtool -T: hardware transmit" "$(ethtool -T eth0)" 'hardware-transmit'
expect_text "ethtool -T: hardware receive" "$(ethtool -T eth0)" 'hardware-receive'
expect_text "ethtool -T: every frame can be stamped" "$(ethtool -T eth0)" '^[[:space:]]*all'

for name in eth0 eth1; do
    expect_text "hwstamp_ctl switches $name on" "$(stamping $name 1 1)" 'tx_type 1'
    expect_text "$name says so" "$(hwstamp_ctl -i $name 2>&1 | tail -n 2)" 'rx_filter 1'
done
check "500 frames one way, each with both stamps" stamps eth0 eth1 500
note "$(grep '^# sent' /tmp/check.output)"
check "500 frames the other way" stamps eth1 eth0 500

# Clocks far apart and steered apart: stamps follow the clock of the card that gives them.
phc_ctl eth0 set 1000000 freq 20000000 > /dev/null
phc_ctl eth1 set 5000000 freq -- -20000000 > /dev/null
check "stamps are of the card's own clock" stamps eth0 eth1 200
check "and the other way" stamps eth1 eth0 200
phc_ctl eth0 freq 0 set > /dev/null
phc_ctl eth1 freq 0 set > /dev/null

for name in eth0 eth1; do
    expect_text "hwstamp_ctl switches $name off" "$(stamping $name 0 0)" 'tx_type 0'
done
check "frames have no stamp when none is asked of the card" stamps eth0 eth1 20 none
for name in eth0 eth1; do stamping $name 1 1 > /dev/null; done
ip link set eth0 down
ip link set eth0 up
check "the link is up again" within 20 grep -qx 1 /sys/class/net/eth0/carrier
check "stamps go on after ifdown and ifup" stamps eth0 eth1 100
if [ "$(basename "$(readlink /sys/class/net/eth0/device/driver)")" = igc ]; then
    expect "no stamp was too late" "$(ethtool -S eth0 | sed -n 's/^ *tx_hwtstamp_timeouts: //p')" -eq 0
    expect "no stamp was left out" "$(ethtool -S eth0 | sed -n 's/^ *tx_hwtstamp_skipped: //p')" -eq 0
fi
