#!/bin/dash
# usage: large BAR2-SIZE BAR4-SIZE BAR2-MEMORY BAR4-MEMORY: a device with more memory than the machine.
# shellcheck source=Guests/gracehopper/guest/gpu.sh
. /doorbell/gpu.sh

expect "BAR 2" "$(bar_size 2)" = "$1"
expect "BAR 4" "$(bar_size 4)" = "$2"
check "memory decoding goes on" enable
note "resident memory of the server before anything is touched: $(ask resident gpu) kB"
expect "resident memory of the server is below 64 MiB, untouched" "$(ask resident gpu)" -lt 65536
reserved=$(($3)) usable=$(($4))

for offset in 0 $((usable * 3 / 4)) $((usable - 8)); do
    bar 4 store "$(place $offset)" "$(place $((offset + 5)))"
    expect "BAR 4: the host finds what is written at $(place $offset)" "$(ask load "$(place $offset)")" = \
        "$(printf '%016x' $((offset + 5)))"
done
for offset in 0 $((reserved - 8)); do
    ask store "$(place $((usable + offset)))" "$(printf '%016x' $((offset + 7)))"
    expect "BAR 2: what the host writes at $(place $offset) is there" "$(bar 2 load "$(place $offset)")" = \
        "$(printf '%016x' $((offset + 7)))"
done
if [ $usable -lt $(($2)) ]; then expect "BAR 4: nothing behind the memory" "$(bar 4 load "$4")" = ffffffffffffffff; fi
if [ $reserved -lt $(($1)) ]; then expect "BAR 2: nothing behind the memory" "$(bar 2 load "$3")" = ffffffffffffffff; fi
note "resident memory of the server: $(ask resident gpu) kB; of the device's memory: $(ask used gpu) kB"
expect "resident memory of the server is below 64 MiB" "$(ask resident gpu)" -lt 65536
expect "the device's memory takes what was touched" "$(ask used gpu)" -lt 1024
