#!/bin/dash
# usage: suspicions-crashes statistics|detach
# Does for a while what Linux's igc has died of. Source of the suspicions: igc_reinit_queues and igc_get_stats64,
# igc_xdp_disable_pool and igc_clean_rx_irq_zc of Linux 7.3.
allow_log 'eth[01]: Reset adapter'
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
esac
note "$trial: not seen in $rounds rounds"
