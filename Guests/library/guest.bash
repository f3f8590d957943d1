# One guest: builds its initramfs, runs QEMU, passes on its check lines, answers its questions, and ends in time.
# Sourced by boot and scenario.bash; needs archive.bash and image.bash.
# shellcheck shell=bash disable=SC2154

guest_options() {
    cat << 'TEXT'
  --vfio-user SOCKET[,NAME=VALUE]...
                      attach the vfio-user server at SOCKET, waiting for the socket to exist; the first device is PCI
                      0000:01:00.0, the next 0000:02:00.0. NAME=VALUE are JSON properties, e.g. x-msg-timeout=20000
  --device 'TYPE[,NAME=VALUE]...'
                      attach a device of QEMU's own in the same way
  --module 'NAME [PARAMETER=VALUE]...'
                      load this module before the script runs (the modules that a guest has: library/image.bash)
  --file SOURCE[:PATH] copy a file or a folder into the guest (into /doorbell, or as PATH)
  --image base|python|tools
                      the programs that the guest has (default: base; python adds python3 and its yaml; tools is what
                      tools/prepare builds: the kernel's own tests)
  --iommu             give the guest an Intel IOMMU, so that vfio-pci can take what is attached
  --kernel stable|backports   (default: backports)
  --cpus N[,sockets=N,cores=N,threads=N]
                      (default: 2)
  --nodes 'CPUS...'   NUMA nodes with these CPUs each, e.g. '0-3 4-7'; without it there are none
  --memory SIZE       (default: 512M)
  --append WORDS      more for the kernel's command line
  --qemu ARGUMENT     one argument for QEMU as it is
  --private-memory    memory that QEMU shares with nobody: devices reach it by messages alone
  --reboot            let the guest reboot; without it, a reboot is an end
  --timeout SECONDS   limit of the guest's life (default: 180)
  --console FILE      where the guest's console goes (default: standard error)
  --label TEXT        put before the name of each check
TEXT
}

# boot_guest OPTION... SCRIPT [ARGUMENT]...: runs a guest to its end; its check lines go to standard output. Ends with the
# script's status: 124 if its time was over, 125 if it did not come to its end (panic, QEMU refused, no socket).
# To be called in a process that ends soon after: its end takes the guest and its files along.
boot_guest() {
    local sockets_and_devices=() devices=() modules=() files=() extra=() append=''
    local image=base which=backports cpus=2 memory=512M limit=180 console='' label='' iommu='' nodes='' reboot=-no-reboot
    local backend=memfd,share=on
    local script from_guest to_guest
    while (($#)); do
        case $1 in
            --iommu) iommu=1; shift; continue ;;
            --private-memory) backend=ram,share=off; shift; continue ;;
            --reboot) reboot=; shift; continue ;;
            --*) (($# > 1)) || { say "$1 needs a value"; exit 64; } ;;
            *) break ;;
        esac
        case $1 in
            --vfio-user) sockets_and_devices+=("socket $2") ;;
            --device) sockets_and_devices+=("device $2") ;;
            --module) modules+=("$2") ;;
            --file) files+=("$2") ;;
            --image) image=$2 ;;
            --kernel) which=$2 ;;
            --cpus) cpus=$2 ;;
            --memory) memory=$2 ;;
            --nodes) nodes=$2 ;;
            --append) append+=" $2" ;;
            --qemu) extra+=("$2") ;;
            --timeout) limit=$2 ;;
            --console) console=$2 ;;
            --label) label=$2 ;;
            *) say "unknown option $1"; exit 64 ;;
        esac
        shift 2
    done
    (($#)) || { say "no script to run"; exit 64; }
    script=$1
    shift
    [[ -r $script ]] || { say "cannot read $script"; exit 64; }
    [[ -e $cache/kernel-$which/version ]] || { say "no kernel $which: run prepare"; exit 64; }

    guest_work=$(mktemp -d)
    qemu=
    # It is timeout's process, which hands a signal on that it can catch.
    trap '[[ ! $qemu ]] || kill -TERM "$qemu" 2> /dev/null; rm -rf "$guest_work"' EXIT
    build_initramfs "$@"
    attach_devices
    start_qemu
    local status=0 reason
    attend || status=$?
    if reason=$(reason_to_boot_again "$status"); then
        # A second try shows whether it was chance.
        printf 'note\t%s%s: booted again\n' "${label:+$label: }" "$reason"
        start_qemu
        status=0
        attend || status=$?
    fi
    ((status != still_in_boot)) || status=125
    return "$status"
}

# reason_to_boot_again STATUS: prints what went wrong, if it is of a kind that no device brings about.
reason_to_boot_again() {
    local pattern words
    if (($1 == still_in_boot)); then
        # Seen under heavy load, before any access to a device of ours.
        echo "no sign of the first process after $boot_limit seconds (where its CPUs were is in the console)"
        return
    fi
    (($1 == 125)) && [[ ! ${dies_on_purpose-} && -f $console ]] || return 1
    if grep -aq 'Oops: int3' "$console"; then
        # Linux changes its code under way by way of a breakpoint (arch/x86/kernel/alternative.c); QEMU's threads of virtual
        # CPUs have run into one that was gone already. Nothing else puts one there.
        echo "QEMU ran code that Linux had changed meanwhile (int3)"
        return
    fi
    [[ -f ${suite_folder-}/known-deaths ]] || return 1
    while IFS=$'\t' read -r pattern words; do
        [[ $pattern && $pattern != \#* ]] || continue
        if grep -aqE "RIP: 0010:($pattern)" "$console"; then
            echo "$words"
            return
        fi
    done < "$suite_folder/known-deaths"
    return 1
}

# From power-on to the first process, in seconds: 5 when the machine is quiet, some 40 when it is ten times too busy.
boot_limit=120
# What attend returns for a guest that took longer.
still_in_boot=123

build_initramfs() {
    local file folder module parts=("$cache/base.cpio") argument
    mkdir -p "$guest_work/guest/doorbell" "$guest_work/guest/bin"
    cp "$guests/guest/init" "$guest_work/guest/init"
    cp "$guests/guest/"*.sh "$guest_work/guest/doorbell/"
    ln -s sh "$guest_work/guest/bin/dash"
    # Scripts beside the script are its library.
    for folder in "$(dirname "$script")" ${suite_folder:+"$suite_folder/guest"}; do
        cp "$folder"/*.{sh,py} "$guest_work/guest/doorbell/" 2> /dev/null || true
    done
    cp "$script" "$guest_work/guest/doorbell/script.body"
    {
        for module in ${modules[@]+"${modules[@]}"}; do
            printf 'modprobe %s || fail "load %s" "modprobe ended with $?"\n' "$module" "$module"
        done
        printf '. /doorbell/script.body\n'
    } > "$guest_work/guest/doorbell/script"
    for argument; do
        printf "'%s' " "${argument//\'/\'\\\'\'}"
    done > "$guest_work/guest/doorbell/arguments"
    for file in ${files[@]+"${files[@]}"}; do
        local source=${file%%:*} destination=/doorbell/${file##*/}
        [[ $file != *:* ]] || destination=${file#*:}
        mkdir -p "$guest_work/guest$(dirname "$destination")"
        cp -rL "$source" "$guest_work/guest$destination" || exit 125
    done
    chmod +x "$guest_work/guest/init"
    pack "$guest_work/guest" "$guest_work/own.cpio"
    [[ $image == base ]] || parts+=("$cache/$image.cpio")
    cat "${parts[@]}" "$cache/modules-$which.cpio" "$guest_work/own.cpio" > "$guest_work/initramfs"
    rm -rf "$guest_work/guest" "$guest_work/own.cpio"
}

# wait_for_socket PATH: a server may take a moment to make it.
wait_for_socket() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        [[ ! -S $1 ]] || return 0
        sleep 0.1
    done
    say "no socket at $1"
    return 1
}

attach_devices() {
    local memory_of_node=,memdev=ram entry number=0 path properties pair pairs
    [[ ! $iommu ]] || devices+=(-device 'intel-iommu,caching-mode=on,intremap=on')
    if [[ $nodes ]]; then
        for entry in $nodes; do
            devices+=(-numa "node,cpus=$entry${memory_of_node}")
            memory_of_node=
        done
    fi
    for entry in ${sockets_and_devices[@]+"${sockets_and_devices[@]}"}; do
        devices+=(-device "pcie-root-port,id=port$number,chassis=$((number + 1)),slot=$((number + 1)),addr=$((number + 4))")
        case $entry in
            device*) devices+=(-device "${entry#device },bus=port$number") ;;
            socket*)
                entry=${entry#socket }
                path=${entry%%,*} properties=
                if [[ $entry == *,* ]]; then
                    IFS=, read -ra pairs <<< "${entry#*,}"
                    for pair in "${pairs[@]}"; do properties+=",\"${pair%%=*}\":${pair#*=}"; done
                fi
                wait_for_socket "$path" || exit 125
                devices+=(-device
                    "{\"driver\":\"vfio-user-pci\",\"bus\":\"port$number\",\"socket\":{\"type\":\"unix\",\"path\":\"$path\"}$properties}")
                ;;
        esac
        number=$((number + 1))
    done
}

# On a busy machine a virtual CPU may stand still for seconds; the kernel is not to take that for a fault of its own.
# no_timer_check: without it Linux panics if the timer seems not to tick (timer_irq_works).
start_qemu() {
    local machine=q35,memory-backend=ram
    # All memory is the first node's.
    [[ ! $nodes ]] || machine=q35
    local name patience='no_timer_check watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=60'
    for name in channel monitor; do
        rm -f "$guest_work/$name.in" "$guest_work/$name.out"
        mkfifo "$guest_work/$name.in" "$guest_work/$name.out"
    done
    [[ ! ${monitor_of_guest-} ]] || ln -sfn "$guest_work/monitor.in" "$monitor_of_guest"
    [[ $console ]] || console=/dev/stderr
    # Opened for both ways, so that neither end waits for the other; a guest that is gone is seen by its process.
    exec {from_guest}<> "$guest_work/channel.out" {to_guest}<> "$guest_work/channel.in"
    QEMU_MODULE_DIR=$libraries/qemu timeout --foreground --signal=KILL "$limit" \
        "$loader" --library-path "$libraries:$libraries/systemd" "$tree/usr/bin/qemu-system-x86_64" \
        -L "$tree/usr/share/qemu" -L "$tree/usr/share/seabios" \
        -nodefaults -no-user-config -display none -accel tcg -cpu max -smp "$cpus" -m "$memory" \
        -object "memory-backend-$backend,id=ram,size=$memory" -machine "$machine" \
        -chardev stdio,id=console,signal=off -serial chardev:console \
        -chardev "pipe,id=channel,path=$guest_work/channel" -serial chardev:channel \
        -chardev "pipe,id=monitor,path=$guest_work/monitor" -monitor chardev:monitor \
        -kernel "$cache/kernel-$which/vmlinuz" -initrd "$guest_work/initramfs" \
        -append "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic edd=off nokaslr mitigations=off $patience${iommu:+ intel_iommu=on}$append" \
        ${reboot:+"$reboot"} ${devices[@]+"${devices[@]}"} ${extra[@]+"${extra[@]}"} \
        < /dev/null >> "$console" 2>&1 {from_guest}>&- {to_guest}>&- &
    qemu=$!
}

# attend: reads the guest's lines until it says how it ended, or is gone.
attend() {
    local line='' part words status='' name=${label:+$label: } gone='' begun='' start=$SECONDS
    while :; do
        part=
        if IFS= read -r -t 0.5 -u "$from_guest" part; then
            line+=$part
            case $line in
                ok$'\t'* | skip$'\t'* | 'not ok'$'\t'*) printf '%s\t%s%s\n' "${line%%$'\t'*}" "$name" "${line#*$'\t'}" ;;
                note$'\t'*) printf '%s\n' "$line" ;;
                ask$'\t'*)
                    read -ra words <<< "${line#*$'\t'}"
                    answer_question "${words[@]}" >&"$to_guest"
                    ;;
                begin) begun=1 ;;
                end\ *) status=${line#end } ;;
                '') ;;
                *) printf 'note\t%sunexpected line: %s\n' "$name" "$line" ;;
            esac
            line=
            continue
        fi
        line+=$part
        # One more look after it is gone: what it said last is still in the pipe.
        [[ ! $gone ]] || break
        kill -0 "$qemu" 2> /dev/null || gone=1
        if [[ ! $begun ]] && ((SECONDS - start > boot_limit)); then
            tell_where_cpus_are >> "$console"
            kill -TERM "$qemu"
            wait "$qemu" || true
            qemu=
            say "the guest did not come out of its boot"
            return "$still_in_boot"
        fi
    done
    local ended=0
    wait "$qemu" || ended=$?
    qemu=
    if [[ $status ]]; then return "$status"; fi
    if ((ended == 124 || ended == 137)); then
        say "the guest's $limit seconds were over"
        return 124
    fi
    say "the guest did not come to its end (QEMU ended with $ended)"
    return 125
}

# tell_where_cpus_are: registers of the guest's CPUs, from QEMU's monitor.
tell_where_cpus_are() {
    exec {from_monitor}<> "$guest_work/monitor.out"
    printf 'info registers -a\n' > "$guest_work/monitor.in"
    timeout 3 cat <&"$from_monitor" || true
    exec {from_monitor}>&-
}

# answer_question WORD...: the answer's lines, each marked, then its status.
answer_question() {
    local status=0 output
    if [[ $(type -t "answer_$1") == function ]]; then
        output=$("answer_$1" "${@:2}" 2>&1) || status=$?
    else
        output="nobody answers $1" status=127
    fi
    [[ ! $output ]] || printf '%s\n' "$output" | sed 's/^/|/'
    printf '= %s\n' "$status"
}
