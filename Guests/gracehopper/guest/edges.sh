#!/bin/dash
# The BARs at all their edges. 4 GiB + 700 MiB: BAR 4 shows 0xe0000000 bytes of memory in 4 GiB, BAR 2 0x4bc00000 in 2 GiB.
# shellcheck source=Guests/gracehopper/guest/gpu.sh
. /doorbell/gpu.sh
ones=ffffffffffffffff

# were_counted reads|writes COUNT: at least as many, behind the memory.
were_counted() { [ "$(ask counted "$1 beyond the memory")" -ge "$2" ]; }

# edges NUMBER MEMORY SIZE START: the table of one BAR; its memory begins at START of the device's.
edges() {
    local number=$1 memory=$(($2)) size=$(($3)) start=$(($4)) offset
    expect "BAR $number: its size" "$(bar_size "$number")" = "$3"

    # Written here, found by the host in the device's memory, in the same pages.
    for offset in 0 4096 $((memory / 2 + 8)) $((memory - 4096)) $((memory - 8)); do
        bar "$number" store "$(place "$offset")" "$(place $((0x1122334400000000 + offset)))"
        expect "BAR $number: the host finds what is written at $(place "$offset")" \
            "$(ask load "$(place $((start + offset)))")" = "$(printf '%016x' $((0x1122334400000000 + offset)))"
    done
    # And the reverse.
    for offset in 16 8192 $((memory / 2)) $((memory - 4104)) $((memory - 16)); do
        ask store "$(place $((start + offset)))" "$(printf '%016x' $((0x5566778800000000 + offset)))"
        expect "BAR $number: what the host writes at $(place "$offset") is there" \
            "$(bar "$number" load "$(place "$offset")")" = "$(printf '%016x' $((0x5566778800000000 + offset)))"
    done

    # Beyond the memory.
    bar "$number" store "$(place $((memory - 8)))" 0x0102030405060708
    for offset in $memory $((memory + 8)) $((memory + 4096)) $((size - 4096)) $((size - 8)); do
        expect "BAR $number: nothing at $(place "$offset")" "$(bar "$number" load "$(place "$offset")")" = $ones
        bar "$number" store "$(place "$offset")" 0
        expect "BAR $number: a write at $(place "$offset") is dropped" "$(bar "$number" load "$(place "$offset")")" = $ones
    done
    expect "BAR $number: the last word of memory stands" "$(bar "$number" load "$(place $((memory - 8)))")" = 0102030405060708
    expect "BAR $number: a load across the memory's end has both" \
        "$(bar "$number" load "$(place $((memory - 4)))")" = ffffffff01020304
    bar "$number" store "$(place $((memory - 4)))" 0x1112131415161718
    expect "BAR $number: a store across the memory's end leaves its half" \
        "$(bar "$number" load "$(place $((memory - 8)))")" = 1516171805060708
    expect "BAR $number: the host finds that too" "$(ask load "$(place $((start + memory - 8)))")" = 1516171805060708

    # A stretch of words, each of which says where it is.
    check "BAR $number: 256 KiB at the end are written" bar "$number" fill "$(place $((memory - 262144)))" 262144 "$number"
    check "BAR $number: and verified" bar "$number" verify "$(place $((memory - 262144)))" 262144 "$number"
}

check "memory decoding goes on" enable
edges 4 0xe0000000 0x100000000 0
edges 2 0x4bc00000 0x80000000 0xe0000000
check "BAR 4's end is not BAR 2's beginning" bar 4 verify "$(place $((0xe0000000 - 262144)))" 262144 4
# Ten loads and five stores behind the memory of each BAR, and one of each across its end.
check "the server was asked for what is behind the memory" within 10 were_counted reads 20
check "the server dropped what was written there" within 10 were_counted writes 10
