#!/bin/dash
# usage: reboot TIMES: the memory's contents outlive resets of the function and reboots of the machine; then powers off.
# shellcheck source=Guests/gracehopper/guest/gpu.sh
. /doorbell/gpu.sh
# Linux says that it resets a function, as a warning.
allow_log ' (resetting|reset done)$'

# contents: words at both ends of both memories.
contents() { echo "$(bar 4 load 0),$(bar 4 load 0xdffffff8),$(bar 2 load 0),$(bar 2 load 0x4bbffff8)"; }

# was_reset COUNT: more often than that.
was_reset() { [ "$(ask counted resets)" -gt "$1" ]; }

boot=$(ask boots)
check "start $boot: memory decoding goes on" enable
expect "start $boot: BAR 2" "$(bar_size 2)" = 0x80000000
expect "start $boot: BAR 4" "$(bar_size 4)" = 0x100000000
if [ "$boot" -gt 1 ]; then
    expect "start $boot: the memory has what the last start left" "$(contents)" = "$(ask told contents)"
    expect "start $boot: so says the host" "$(ask load 0xdffffff8)" = "$(ask told contents | cut -d , -f 2)"
fi
bar 4 store 0 "0x44$boot"
bar 4 store 0xdffffff8 "0x45$boot"
bar 2 store 0 "0x22$boot"
bar 2 store 0x4bbffff8 "0x23$boot"
before=$(contents)

resets=$(ask counted resets)
check "start $boot: the function is reset" sh -c "echo 1 > $device/reset"
check "start $boot: the device saw it" within 10 was_reset "$resets"
expect "start $boot: the memory stays" "$(contents)" = "$before"
expect "start $boot: the BARs are where they were" "$(bar 4 load 0xe0000000)" = ffffffffffffffff

ask tell contents "$(contents)"
if [ "$boot" -le "$1" ]; then
    check_kernel_log
    reboot -f
    sleep 100
fi
expect "rebooted $1 times" $((boot - 1)) -eq "$1"
