# The kernel's xdp_hw_metadata on zero-copy AF_XDP queues: stamps of what comes in and of what goes out.
# about: AF_XDP zero-copy with hardware stamps: xdp_hw_metadata
# speed: slow
# needs: tools
# limit: 240
connect a b
guest one --card a --card b --image tools --memory 1G --cpus 4 xdp-stamps
