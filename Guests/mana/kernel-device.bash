# The kernel's driver tests of the device itself: interrupts, statistics, queues, rings.
# about: kernel selftests: irq, statistics, queues, rings, ping
# speed: slow
# needs: tools
# limit: 900
connect a b
guest one --card a --card b --image tools --memory 2G --cpus 4 --timeout 880 kernel-tests \
    hw/irq.py stats.py queues.py ping.py hw/pp_alloc_fail.py ring_reconfig.py napi_id.py
