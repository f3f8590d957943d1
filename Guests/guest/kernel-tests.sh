#!/bin/dash
# Runs scripts of the kernel's network driver tests (tools/testing/selftests/drivers/net) with eth0 as the device and eth1
# as the remote end, in a network namespace; each line of their results is a check.
# usage: kernel-tests SCRIPT[,ARGUMENT]...    by path below drivers/net; "+" as argument stands for both interfaces, which
#        then stay in one namespace
# What the suite's driver cannot do is in its excuses.sh: excuse NAME prints why the result NAME is none of the card's
# faults, if what the test said of it ($reason) shows that; see may_be.
# Source of truth: tools/testing/selftests/drivers/net/README.rst, Documentation/dev-tools/ktap.rst.
# shellcheck source=/dev/null # the suite's
. /doorbell/excuses.sh

tests=/kernel/tools/testing/selftests/drivers/net
seconds_for_each=240

export NETIF=eth0 REMOTE_TYPE=netns REMOTE_ARGS=peer
export LOCAL_V4=192.0.2.10 REMOTE_V4=192.0.2.11 LOCAL_V6=2001:db8::10 REMOTE_V6=2001:db8::11
# How long the tests' shell library waits for a link, in seconds.
export INTERFACE_TIMEOUT=30 WAIT_TIME=1
export KSFT_MACHINE_SLOW=yes NETIF_CREATE=no

# address NAME V4 V6 [PREFIX...]: an interface's addresses, up; PREFIX runs it elsewhere.
address() {
    local name=$1 v4=$2 v6=$3
    shift 3
    "$@" ip link set "$name" up
    "$@" ip address replace "$v4/24" dev "$name"
    "$@" ip -6 address replace "$v6/64" dev "$name" nodad
}

# A test may leave the link, the queues or an address otherwise than it found them; the next one starts from the same.
reset_cards() {
    ip link set eth0 xdp off 2> /dev/null
    ip link set eth0 mtu 1500
    ethtool -L eth0 combined "$queues" 2> /dev/null
    ip netns exec peer ip link set eth1 mtu 1500
    address eth0 $LOCAL_V4 $LOCAL_V6
    address eth1 $REMOTE_V4 $REMOTE_V6 ip netns exec peer
    # What toeplitz.py wants to find: a CPU for each vector of a queue, and ports in the hash of UDP, which igc leaves out at
    # first.
    cpu=0
    # shellcheck disable=SC2013 # words
    for vector in $(awk -F : '/eth0-|mana_(q|msi)/ { print $1 }' /proc/interrupts); do
        echo $cpu > "/proc/irq/$vector/smp_affinity_list"
        cpu=$(((cpu + 1) % queues))
    done
    ethtool -N eth0 rx-flow-hash udp4 sdfn
    ethtool -N eth0 rx-flow-hash udp6 sdfn
    within 20 grep -qx 1 /sys/class/net/eth0/carrier
    within 20 ip netns exec peer grep -qx 1 /sys/class/net/eth1/carrier
    within 10 ping -c 1 -W 1 $REMOTE_V4 > /dev/null
    within 10 ping -c 1 -W 1 $REMOTE_V6 > /dev/null
}

# results FILE: one line "KIND<tab>NAME<tab>REASON" for each result, KTAP or the shell library's own.
results() {
    awk -v test="$script" '
        function say(kind, name, reason) {
            gsub(/\t/, " ", name); gsub(/\t/, " ", reason)
            print kind "\t" name "\t" reason
        }
        function flush() {
            if (held != "") say(held_kind, held, said)
            held = ""; said = ""
        }
        /^(not )?ok [0-9]+/ {
            kind = /^not/ ? "not ok" : "ok"
            name = $0; sub(/^(not )?ok [0-9]+ (- )?/, "", name)
            reason = said; said = ""
            if (match(name, / # (SKIP|XFAIL)/)) {
                reason = substr(name, RSTART + 3); name = substr(name, 1, RSTART - 1)
                if (kind == "ok") kind = "skip"
                sub(/^SKIP */, "", reason)
                if (reason == "") reason = "the driver does not offer it"
            }
            say(kind, name, reason)
            next
        }
        # The shell library says why below the result, behind a tab.
        /^TEST: .*\[/ {
            flush()
            held = $0; sub(/^TEST: /, "", held)
            held_kind = held ~ /\[ *OK *\]/ ? "ok" : held ~ /\[X?SKIP\]|\[XFAIL\]/ ? "skip" : "not ok"
            sub(/ *\[.*/, "", held)
            if (held ~ /^SKIP: /) { held_kind = "skip"; said = held; held = test }
            next
        }
        END { flush() }
        { said = said " " $0 }' "$1"
}

# excuse_any NAME: the suite's excuses, and those that hold for every driver here.
excuse_any() {
    excuse "$1"
    case $1 in
        napi_threaded.*) may_be "JSON output not available" "this ethtool does not print channels as JSON" ;;
        rss_* | ntuple.* | stats.* | tso.* | xdp.*)
            # qstats-get is answered so by a driver without netdev_stat_ops.
            may_be "Operation not supported {'bad-attr': '.ifindex'}" "the driver has no statistics by queue (netdev qstats)"
            may_be "Cannot set RX flow hash configuration: Operation not supported" "the driver has one RSS context only"
            ;;
    esac
    case $1 in
        xdp.*) may_be "kfunc 'bpf_xdp_pull_data' is referenced but wasn't resolved" "this kernel lacks bpf_xdp_pull_data" ;;
        rss_ctx.test_hitless_key_update)
            may_be "total_seconds" "the key's time limit of 150 ms does not hold in software emulation; nothing was lost"
            ;;
        rss_api.test_rss_ctx_*)
            may_be "Netlink error: Operation not supported" "the driver has one RSS context only"
            ;;
    esac
}

# may_be TEXT REASON: prints the reason if the text is in what was said.
may_be() {
    case $reason in
        *"$1"*) echo "$2" ;;
    esac
}

# run_test SCRIPT [ARGUMENT]...: its results as checks.
run_test() {
    local script=$1 status=0 kind name reason excused any=
    shift
    [ -e "$tests/$script" ] || {
        skip "$script" "Linux's source does not have it"
        return
    }
    echo "---- $script $*"
    # Some have no leave to be run by themselves.
    case $script in
        *.py) set -- python3 "$(basename "$script")" "$@" ;;
        *) set -- "./$(basename "$script")" "$@" ;;
    esac
    (cd "$(dirname "$tests/$script")" && timeout --kill-after=10 $seconds_for_each "$@") > /tmp/output 2>&1 || status=$?
    cat /tmp/output
    results /tmp/output > /tmp/results
    while IFS="$tab" read -r kind name reason; do
        any=1
        case $kind in
            ok) pass "$name" ;;
            skip) skip "$name" "$reason" ;;
            *)
                excused=$(excuse_any "$name" | head -n 1)
                if [ -n "$excused" ]; then
                    skip "$name" "$excused"
                else
                    fail "$name" "$(echo "$reason" | tail -c 350)"
                fi
                ;;
        esac
    done < /tmp/results
    [ -z "$any" ] || [ $status = 124 ] || [ $status = 137 ] || return 0
    reason=$(cat /tmp/output)
    excused=$(excuse_any "$(basename "$script" | sed 's/\..*//')." | head -n 1)
    if [ -n "$excused" ]; then
        skip "$script" "$excused"
        return
    fi
    case $status in
        4) skip "$script" "$(tail -n 1 /tmp/output)" ;;
        124 | 137) fail "$script ends in time" "$seconds_for_each seconds were over" ;;
        *) fail "$script has results" "it ended with $status: $(tail -n 5 /tmp/output)" ;;
    esac
}
tab=$(printf '\t')

queues=$(ethtool -l eth0 | awk '/^Combined:/ { n = $2 } END { print n }')
# csum.py's receiver asks for 4 MiB of socket buffer to hold its 100 packets, and gets what the kernel allows: 208 KiB before
# 6.18, which are 98 packets of mana's buffers where the receiver is not scheduled in time. The kernel counts the others as
# RcvbufErrors.
echo 4194304 > /proc/sys/net/core/rmem_max
ip netns add peer
for words; do
    script=${words%%,*}
    arguments=$(echo "${words#"$script"}" | tr , ' ')
    case $arguments in
        *+*)
            # Both ends in one namespace, where the kernel must not short-circuit: the tests send by packet socket.
            address eth0 $LOCAL_V4 $LOCAL_V6
            address eth1 $REMOTE_V4 $REMOTE_V6
            within 20 grep -qx 1 /sys/class/net/eth0/carrier
            within 20 grep -qx 1 /sys/class/net/eth1/carrier
            run_test "$script" eth0 eth1
            ;;
        *)
            [ ! -e /sys/class/net/eth1 ] || ip link set eth1 netns peer
            reset_cards
            # shellcheck disable=SC2086 # words
            run_test "$script" $arguments
            ;;
    esac
done
