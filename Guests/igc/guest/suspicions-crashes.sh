#!/bin/dash
# usage: suspicions-crashes statistics|detach|rings
# Does for a while what Linux's igc has died of. Source of the suspicions: igc_reinit_queues and igc_get_stats64,
# igc_xdp_disable_pool and igc_clean_rx_irq_zc, igc_down and igc_clean_tx_ring of Linux 7.3.
allow_log 'eth[01]: Reset adapter'
# A guest that floods itself may not come to its interrupts for a second (igc_clean_tx_irq), or has met what it is after.
allow_log 'eth[01]: Detected Tx Unit Hang|NETDEV WATCHDOG'
trial=$1
for name in eth0 eth1; do ip link set $name up; done
linked() { [ "$(cat /sys/class/net/eth0/carrier)$(cat /sys/class/net/eth1/carrier)" = 11 ]; }
check "$trial: the links come up" within 20 linked

# over: whether the trial's seconds are over.
until=$(($(uptime_seconds) + 100))
over() { [ "$(uptime_seconds)" -ge $until ]; }

case $trial in
    statistics)
        # As the kernel's own test does it: stats.py, procfs_downup_hammer.
        cd /kernel/tools/testing/selftests/drivers/net || exit
        rounds=0
        until over; do
            rounds=$((rounds + 1))
            NETIF=eth0 timeout --kill-after=5 60 python3 stats.py -t procfs_downup_hammer > /tmp/hammer 2>&1
            tail -n 3 /tmp/hammer
        done
        expect_text "$trial: the kernel's test ran" "$(cat /tmp/hammer)" 'ok 1 stats.procfs_downup_hammer'
        ;;
    detach)
        # Frames keep coming while the kernel's program leaves its zero-copy queues.
        mausezahn eth1 -q -c 0 -d 200 -p 100 -a own -b ff:ff:ff:ff:ff:ff > /dev/null 2>&1 &
        rounds=0
        until over; do
            rounds=$((rounds + 1))
            xdp_hw_metadata eth0 > /tmp/output 2>&1 &
            process=$!
            within 30 sh -c 'ip link show eth0 | grep -q prog/xdp'
            sleep 1
            kill -INT $process
            wait $process
        done
        expect_text "$trial: the program ran" "$(tail -n 30 /tmp/output)" 'detaching bpf program'
        ;;
    rings)
        # What the kernel's own test does (xsk_reconfig.py), while three CPUs send: an XDP program comes and goes, for which
        # the driver cleans the rings of a card that is up, then the card goes down for rings of another size.
        ip address replace 192.0.2.10/24 dev eth0
        ip neighbour replace 192.0.2.11 lladdr 02:00:00:00:00:11 dev eth0 nud permanent
        for _ in 1 2 3; do
            python3 -c '
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try: sender.sendto(bytes(200), ("192.0.2.11", 9))
    except OSError: pass
' &
        done
        program=/kernel/tools/testing/selftests/net/lib/xdp_dummy.bpf.o
        rounds=0
        entries=128
        until over; do
            rounds=$((rounds + 1))
            {
                ip link set eth0 xdp object $program section xdp
                ip link set eth0 xdp off
                ethtool -G eth0 rx $entries
            } &
            process=$!
            within 40 sh -c "! kill -0 $process 2> /dev/null" || {
                # Where its CPU is, and the end: with the lock of all interfaces held, nothing else ends this machine.
                echo l > /proc/sysrq-trigger
                sleep 1
                dmesg | grep 'RIP:'
                echo b > /proc/sysrq-trigger
            }
            wait $process
            entries=$((384 - entries))
        done
        check "$trial: frames left meanwhile" [ "$(cat /sys/class/net/eth0/statistics/tx_packets)" -gt 1000 ]
        ;;
esac
note "$trial: not seen in $rounds rounds"
