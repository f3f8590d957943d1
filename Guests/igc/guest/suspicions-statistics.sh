#!/bin/dash
# stats.py's procfs_downup_hammer, which kernel-tests leaves out: /proc/net/dev is read again and again while the interface
# goes down and up and its channels change. What is checked is that the trial was made; its outcome is a note.
# Source of the suspicion: igc_reinit_queues and igc_get_stats64 of Linux 6.12 and 7.3.
allow_log 'igc_update_stats|igc_get_stats64|NULL pointer dereference|Oops|Call Trace|soft lockup|self-detected stall|detected stalls|Watchdog detected'

ip link set eth0 up
ip link set eth1 up
check "the link comes up" within 20 grep -qx 1 /sys/class/net/eth0/carrier
# The reader dies, the machine goes on, as far as it can: the reader held a lock.
echo 0 > /proc/sys/kernel/panic_on_oops
cd /kernel/tools/testing/selftests/drivers/net || exit
round=0
while [ $round -lt 3 ]; do
    round=$((round + 1))
    NETIF=eth0 timeout --kill-after=5 60 python3 stats.py -t procfs_downup_hammer > /tmp/hammer 2>&1
    tail -n 3 /tmp/hammer
    if dmesg | grep -q 'RIP:.*igc_update_stats'; then
        note "reproduced in round $round: $(dmesg | grep -m 1 'NULL pointer dereference'), $(dmesg | grep -m 1 -o 'igc_update_stats+[^ ]*')"
        round=reproduced
        break
    fi
done
[ $round = reproduced ] || note "not seen in $round rounds of 10 s"
pass "the trial was made"
# Nothing that takes the dead reader's lock must come after this.
