#!/bin/dash
# The GPU as a guest sees it that no driver drives. Read by the scripts beside it.
card=0000:01:00.0
# shellcheck disable=SC2034 # for the scripts that read this
device=/sys/bus/pci/devices/$card

# bar NUMBER WORD...: eight bytes of a BAR, mapped by a program: `bar 4 load OFFSET`, `bar 4 store OFFSET NUMBER`.
bar() {
    local number=$1
    shift
    nvgrace-trial --bar $device/resource"$number" "$@"
}

# bar_size NUMBER: in bytes, hexadecimal, as the kernel has it.
bar_size() {
    awk -v line=$(($1 + 1)) 'NR == line { print $1, $2 }' $device/resource | {
        read -r first last
        if [ $((last)) -eq 0 ]; then echo 0x0; else printf '0x%x\n' $((last - first + 1)); fi
    }
}

# enable: as a driver does, so that the BARs answer.
enable() { echo 1 > $device/enable; }

# place NUMBER: as the programs here take it.
place() { printf '0x%x' "$1"; }
