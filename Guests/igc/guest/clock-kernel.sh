#!/bin/dash
# The kernel's own test of a clock: it is set, shifted and steered, and looked at after a while.
# Source of truth: tools/testing/selftests/ptp/phc.sh.
device=/dev/$(basename /sys/class/net/eth0/device/ptp/ptp*)
ip link set eth0 up
/kernel/tools/testing/selftests/ptp/phc.sh "$device" > /tmp/phc 2>&1
cat /tmp/phc
for name in settime adjtime adjfreq; do
    expect_text "phc.sh $name" "$(cat /tmp/phc)" "^TEST: $name .*OK"
done
