#!/bin/dash
# What the scripts of this suite share about the card's trace: one line for each vector that was attached and each step of
# the driver, as `doorbell serve --trace` logs them.

# steps: the trace in one line: "vN" for vector N when it is attached for the first time (a vector is attached anew when it
# moves), "-N" for one that is detached, "channel" and "end" for the hardware channel's life, requests by their number.
steps() {
    ask trace | sed -n 's/^[^ ]*: \(vectors [ad]\|channel\|request\)/\1/p' | awk '
        $1 == "vectors" && $2 == "attached:" { for (i = 3; i <= NF; i++) if (!seen[$i]++) printf "v%s ", $i }
        $1 == "vectors" && $2 == "detached:" { for (i = 3; i <= NF; i++) { delete seen[$i]; printf "-%s ", $i } }
        $1 == "channel" { printf "%s ", $2 == "destroyed" ? "end" : "channel" }
        $1 == "request" { sub(/:/, "", $2); printf "%s ", $2 }'
}

# refused_requests: those that the card has not carried out.
refused_requests() { ask trace | grep -c 'request .*: status'; }

# vectors: how many this guest has of the card.
vectors() { grep -c -- '-0000:01:00.0' /proc/interrupts; }

# is_new_driver: whether the driver takes one vector first (Linux 6.17 and later).
is_new_driver() {
    case $(uname -r) in
        6.12.*) return 1 ;;
    esac
}

# vector_names COUNT: as the driver gives them to the queues' vectors, in order.
vector_names() {
    local number
    echo "mana_hwc@pci:0000:01:00.0"
    for number in $(seq 1 $(($1 - 1))); do
        if is_new_driver; then
            echo "mana_msi$number@pci:0000:01:00.0"
        else
            echo "mana_q$((number - 1))@pci:0000:01:00.0"
        fi
    done
}
