# The host's side of a scenario: cards, cables, TAP devices, guests. A scenario runs in a network and process namespace
# of its own, so names are free to choose and nothing outlives it.
# Sourced by scenario.bash; needs guest.bash.
# shellcheck shell=bash disable=SC2034,SC2154

# The host's end of a cable: a TAP device of this name in the scenario's network namespace.
host_address=192.0.2.1
# Where the host sees what is on its end of the cable.
host_device=host
# Without virtio headers QEMU's cards do themselves what the guest asks of them, as a card on a cable must; with them,
# large sends and checksums are left to the host's kernel. Ours always do it themselves; with headers, segments that belong
# together then reach the host's kernel together.
virtio_headers=off

# Which server has a card, and the socket or the TAP device that leads to it.
declare -A model_of=() server_of=() socket_of=() tap_of=()
servers=()
guest_pids=()
guest_names=()

# The fetched ones do on every machine, whatever it has.
ip() { fetched usr/bin/ip "$@"; }
ss() { fetched usr/bin/ss "$@"; }

# ipv6_of DEVICE on|off: without IPv6, the host says nothing by itself.
ipv6_of() {
    local switch=/proc/sys/net/ipv6/conf/$1/disable_ipv6
    [[ -e $switch ]] || return
    if [[ $2 == on ]]; then echo 0 > "$switch"; else echo 1 > "$switch"; fi
}

# make_tap NAME [ADDRESS]: a TAP device, up.
make_tap() {
    ip tuntap add dev "$1" mode tap
    ipv6_of "$1" off || true
    [[ ! ${2-} ]] || ip address add "$2/24" dev "$1"
    ip link set "$1" up
}

# connect END...: one cable between two ends, a learning switch between more, an unplugged card (or one without a plug) if
# alone. An end is a card's name, or "host": a TAP device with the address $host_address. What follows a "--" goes to
# doorbell serve.
connect() {
    local end cards=() taps=() more=()
    while (($#)); do
        end=$1
        shift
        case $end in
            --) more=("$@"); break ;;
            host*) make_tap "$end" "$host_address"; taps+=("$end") ;;
            *)
                cards+=("$end")
                model_of[$end]=$model
                ;;
        esac
    done
    case $model in
        i225 | mana | gracehopper) connect_ours ;;
        *) connect_peers ;;
    esac
}

# Our own: one server for all ends of a wire.
connect_ours() {
    local arguments=() card tap log server trains=''
    for card in "${cards[@]}"; do
        socket_of[$card]=$work/$card.sock
        arguments+=(--socket "$work/$card.sock")
    done
    [[ $virtio_headers == off ]] || trains=,trains
    for tap in ${taps[@]+"${taps[@]}"}; do arguments+=(--wire "tap:$tap$trains"); done
    log=$keep/server-${cards[0]}.log
    : > "$log"
    "$doorbell" serve "$model" "${arguments[@]}" ${more[@]+"${more[@]}"} > "$log" 2>&1 < /dev/null &
    server=$!
    servers+=("$server")
    for card in "${cards[@]}"; do server_of[$card]=$server; done
    while ! grep -qx ready "$log"; do
        kill -0 "$server" 2> /dev/null || broken "doorbell serve: $(tail -n 3 "$log")"
        sleep 0.1
    done
}

# QEMU's cards have their TAP devices; a bridge is their cable and their switch.
connect_peers() {
    local card tap bridge
    if ((${#cards[@]} == 1 && ${#taps[@]} == 1)); then
        tap_of[${cards[0]}]=${taps[0]}
        return
    fi
    for card in "${cards[@]}"; do
        make_tap "tap-$card"
        tap_of[$card]=tap-$card
    done
    ((${#cards[@]} + ${#taps[@]} > 1)) || return 0
    bridge=br-${cards[0]}
    ip link add "$bridge" type bridge mcast_snooping 0
    ipv6_of "$bridge" off || true
    ip link set "$bridge" up mtu 9000
    for card in "${cards[@]}"; do ip link set "tap-$card" mtu 9000 master "$bridge"; done
    for tap in ${taps[@]+"${taps[@]}"}; do
        ip address flush dev "$tap"
        ip link set "$tap" mtu 9000 master "$bridge"
        ip address add "$host_address/24" dev "$bridge"
        # Nothing reads from the TAP device, so the bridge is the host's end.
        host_device=$bridge
    done
}

# card_options NAME: what boot_guest needs to attach the card.
card_options() {
    local card=$1
    case ${model_of[$card]} in
        i225 | mana | gracehopper) options+=(--vfio-user "${socket_of[$card]}") ;;
        *)
            options+=(
                --qemu -netdev
                --qemu "tap,id=net-$card,ifname=${tap_of[$card]},script=no,downscript=no,vnet_hdr=$virtio_headers"
                --device "${model_of[$card]},id=card-$card,netdev=net-$card,mac=$(mac_of "$card")"
            )
            ;;
    esac
}

# mac_of NAME: a locally administered address, made of the name.
mac_of() {
    local sum
    sum=$(cksum <<< "$1")
    printf '02:db:00:%02x:%02x:%02x' $((${sum%% *} >> 16 & 255)) $((${sum%% *} >> 8 & 255)) $((${sum%% *} & 255))
}

# guest NAME [--card CARD]... [OPTION of boot_guest]... SCRIPT [ARGUMENT]...: boots a guest beside the scenario. SCRIPT is
# one of the suite's guest folder, or of Guests/guest. The driver is loaded first, if there is one, unless --no-driver.
guest() {
    local name=$1 options=() script='' driver=1
    shift
    while (($#)); do
        case $1 in
            --card) card_options "$2"; shift 2 ;;
            --no-driver) driver=; shift ;;
            --iommu | --private-memory | --reboot) options+=("$1"); shift ;;
            --*) options+=("$1" "$2"); shift 2 ;;
            *) break ;;
        esac
    done
    script=$suite_folder/guest/$1.sh
    # What serves every suite is beside them.
    [[ -e $script ]] || script=$guests/guest/$1.sh
    shift
    [[ ! $driver || ! $driver_module ]] || options+=(--module "$driver_module")
    run_guest "$name" "${options[@]}" "$script" "$@" &
    guest_pids+=($!)
    guest_names+=("$name")
}

# run_guest NAME ARGUMENT...: boots it to its end, which is a check.
run_guest() {
    local this_guest=$1 status=0
    # shellcheck disable=SC2034 # start_qemu reads it
    local monitor_of_guest=$work/$1.monitor
    shift
    boot_guest --kernel "$which" --console "$keep/$this_guest.console" "$@" 2> "$keep/$this_guest.errors" || status=$?
    if ((status == 0)); then
        printf 'ok\t%s ran to its end\n' "$this_guest"
    else
        printf 'not ok\t%s ran to its end\tstatus %s: %s (console: %s)\n' "$this_guest" "$status" \
            "$(tail -n 2 "$keep/$this_guest.errors" | tr '\n\t' '  ')" "$keep/$this_guest.console"
    fi
}

# await_guests: until all that were booted are gone.
await_guests() {
    local process
    for process in ${guest_pids[@]+"${guest_pids[@]}"}; do wait "$process" || true; done
    guest_pids=() guest_names=()
}

# broken REASON...: the scenario cannot go on, which is a failed check.
broken() {
    printf 'not ok\tthe scenario was set up\t%s\n' "$(tr '\n\t' '  ' <<< "$*")"
    exit 1
}

# monitor GUEST COMMAND...: has QEMU's monitor do this.
monitor() {
    local name=$1
    shift
    printf '%s\n' "$*" > "$work/$name.monitor"
}

# bring PROGRAM...: options for `guest`, in `brought`: these programs of ours, into the guest's path.
bring() {
    local program
    brought=()
    for program; do
        [[ -x $DOORBELL_STATIC/$program ]] || skipped "no static $program (no Swift toolchain, and no DOORBELL_STATIC)"
        brought+=(--file "$DOORBELL_STATIC/$program:/bin/$program")
    done
}

# skipped REASON...: the scenario cannot run here.
skipped() {
    printf 'skip\tthe scenario\t%s\n' "$(tr '\n\t' '  ' <<< "$*")"
    exit 0
}

# ---- answers to what guests ask; $this_guest asks

# meet NAME COUNT: waits until COUNT guests have asked for the same.
answer_meet() {
    local tries
    mkdir -p "$work/meet-$1"
    : > "$work/meet-$1/$this_guest"
    for ((tries = 0; tries < 1200; tries++)); do
        if (($(find "$work/meet-$1" -type f | wc -l) >= $2)); then return 0; fi
        sleep 0.1
    done
    echo "the others did not come to $1"
    return 1
}

# cable CARD off|on: unplugs the card, or plugs it in again.
answer_cable() {
    case ${model_of[$1]} in
        i225 | mana) kill -USR1 "${server_of[$1]}" ;;
        *) monitor "$this_guest" set_link "net-$1" "$2" ;;
    esac
}

# boots: how often this guest has started (it asks once in each start).
answer_boots() {
    echo >> "$work/boots-$this_guest"
    wc -l < "$work/boots-$this_guest"
}

# times: the host's clock in nanoseconds.
answer_time() { date +%s%N; }

# trace: what the servers have logged.
answer_trace() { cat "$keep"/server-*.log; }
