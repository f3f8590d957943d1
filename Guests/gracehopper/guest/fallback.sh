#!/bin/dash
# usage: fallback: without the firmware's word the device is what it is: the real BAR 1, and none of the other two.
# shellcheck source=Guests/gracehopper/guest/gpu.sh
. /doorbell/gpu.sh

lspci -vv -s $card
expect "BAR 0 has 16 MiB" "$(bar_size 0)" = 0x1000000
expect "BAR 2 is the device's own, 64 MiB" "$(bar_size 2)" = 0x4000000
expect "there is no BAR 4" "$(bar_size 4)" = 0x0
check "memory decoding goes on" enable
expect "BAR 0 answers" "$(bar 0 load 0x1498 | cut -c 9-)" = 000000ff
