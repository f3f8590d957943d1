# What a guest boots from: an initramfs of three parts that the kernel unpacks one after another: the programs (base or
# python), the modules of its kernel, and what one guest alone gets (init, its script, files).
# Sourced by prepare and guest.bash; needs archive.bash.
# shellcheck shell=bash disable=SC2034,SC2154

# Programs of the tree that the guest has, by their path in the tree.
guest_programs=(
    usr/bin/ip usr/sbin/tc usr/sbin/bridge usr/sbin/devlink usr/sbin/ethtool usr/bin/lspci usr/bin/setpci usr/bin/kmod
    usr/bin/iperf3 usr/bin/ping usr/bin/ss usr/bin/nstat usr/sbin/ptp4l usr/sbin/phc2sys usr/sbin/phc_ctl
    usr/sbin/hwstamp_ctl usr/sbin/pmc
)

# Modules that a guest can load, with all that they depend on: the drivers under test, QEMU's own cards for comparison,
# and what scenarios stack on them.
guest_modules=(
    igc igb igbvf e1000e mana vfio-pci vfio_iommu_type1 8021q bridge tun veth vrf dummy macvlan xsk_diag inet_diag tcp_diag
    sch_mqprio sch_taprio sch_etf sch_fq sch_ingress cls_u32 cls_flower cls_matchall cls_bpf act_gact act_mirred act_skbedit
    msr pps-ldisc pktgen
)

# pack DIRECTORY FILE: an initramfs of what is in the directory.
pack() {
    (cd "$1" && find . -print | fetched usr/bin/busybox cpio -o -H newc 2> /dev/null) > "$2.part"
    mv "$2.part" "$2"
}

# copy_libraries INTO: reads paths of programs, copies the shared libraries that they need.
copy_libraries() {
    local path
    while read -r path; do
        "$loader" --library-path "$libraries:$libraries/systemd" --list "$path" || true
    done 2> /dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
        xargs --no-run-if-empty cp -Lt "$1/usr/lib/x86_64-linux-gnu"
}

# build_base FILE: busybox, a shell, and the programs above.
build_base() {
    local guest directory program
    guest=$(mktemp -d "$cache/base.XXXXXX")
    mkdir -p "$guest"/{bin,busybox,dev,etc,lib64,proc,run,sys,tmp,root,var/run,doorbell,usr/lib/x86_64-linux-gnu}
    for directory in sbin usr/bin usr/sbin; do ln -s /bin "$guest/$directory"; done
    ln -s usr/lib "$guest/lib"
    cp -L "$tree/usr/bin/busybox" "$guest/bin/busybox"
    cp -L "$tree/usr/bin/dash" "$guest/bin/sh"
    printf 'root:x:0:0:root:/root:/bin/sh\n' > "$guest/etc/passwd"
    printf 'root:x:0:\n' > "$guest/etc/group"
    printf '127.0.0.1 localhost\n' > "$guest/etc/hosts"
    for program in "${guest_programs[@]}"; do
        [[ -e $tree/$program ]] || program=${program/usr\/bin/usr\/sbin}
        [[ -e $tree/$program ]] || program=${program/usr\/sbin/usr\/bin}
        cp -L "$tree/$program" "$guest/bin/"
        printf '%s\n' "$tree/$program"
    done | copy_libraries "$guest"
    for program in modprobe insmod rmmod depmod lsmod modinfo; do ln -s kmod "$guest/bin/$program"; done
    # The run time of C and C++, for programs that a scenario brings.
    cp -L "$libraries"/lib{c.so.6,m.so.6,gcc_s.so.1,stdc++.so.6} "$guest/usr/lib/x86_64-linux-gnu"
    cp -L "$loader" "$guest/lib64/"
    pack "$guest" "$1"
    rm -rf "$guest"
}

# build_python FILE: python3 with yaml, to be laid over base.
build_python() {
    local guest version
    guest=$(mktemp -d "$cache/python.XXXXXX")
    version=$(basename "$(readlink -f "$tree/usr/bin/python3")")
    mkdir -p "$guest"/{bin,usr/lib/x86_64-linux-gnu,usr/lib/python3}
    cp -L "$tree/usr/bin/$version" "$guest/bin/"
    ln -s "$version" "$guest/bin/python3"
    cp -a "$tree/usr/lib/$version" "$guest/usr/lib/"
    cp -a "$tree/usr/lib/python3/dist-packages" "$guest/usr/lib/python3/"
    rm -rf "$guest/usr/lib/$version"/{test,idlelib,ensurepip,pydoc_data,turtledemo,lib2to3}
    find "$guest/usr/lib" -name '*.so' -o -name "$version" -type f | copy_libraries "$guest"
    printf '%s\n' "$guest/bin/$version" | copy_libraries "$guest"
    pack "$guest" "$1"
    rm -rf "$guest"
}

# module_closure KERNEL NAME...: the files of these modules and of all that they depend on, without repetition.
module_closure() {
    local kernel=$1
    shift
    printf '%s\n' "$@" | tr - _ | awk '
        NR == FNR { wanted[$1] = 1; next }
        {
            file = $1; sub(/:$/, "", file)
            name = file; sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name)
            if (name in wanted) { print file; for (i = 2; i <= NF; i++) print $i }
        }' - "$kernel/modules/modules.dep" | sort -u
}

# build_modules KERNEL FILE: the guest's modules of this kernel, where modprobe looks for them.
build_modules() {
    local kernel=$1 guest version file into
    version=$(< "$kernel/version")
    guest=$(mktemp -d "$cache/modules.XXXXXX")
    into=$guest/usr/lib/modules/$version
    mkdir -p "$into"
    while read -r file; do
        mkdir -p "$into/${file%/*}"
        case $file in
            *.xz) fetched usr/bin/busybox xzcat "$kernel/modules/$file" > "$into/${file%.xz}" ;;
            *) cp "$kernel/modules/$file" "$into/$file" ;;
        esac
    done < <(module_closure "$kernel" "${guest_modules[@]}")
    cp "$kernel"/modules/modules.{builtin,builtin.modinfo,order} "$into/"
    ln -s usr/lib "$guest/lib"
    run_depmod -b "$guest" "$version" 2> /dev/null
    rm "$guest/lib"
    pack "$guest" "$2"
    rm -rf "$guest"
}

# kmod knows what it is to do by the name that it is called by.
run_depmod() { "$loader" --library-path "$libraries" --argv0 depmod "$tree/usr/bin/kmod" "$@"; }
