# The kernel's driver tests of the device itself: interrupts, stamps, statistics, queues.
# about: kernel selftests: irq, nic_timestamp, statistics, queues, ping
# stats.py's procfs_downup_hammer is left out: it ends Linux (docs/upstream-suspicions.md).
# speed: slow
# needs: tools
# limit: 900
connect a b
guest one --card a --card b --image tools --memory 2G --cpus 4 --timeout 880 kernel-tests \
    hw/irq.py hw/nic_timestamp.py stats.py,-T,procfs_downup_hammer queues.py ping.py hw/pp_alloc_fail.py ring_reconfig.py napi_threaded.py napi_id.py
