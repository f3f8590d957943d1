# The kernel's own test of clocks; it waits for 220 seconds.
# about: clock: the kernel's selftest phc.sh
# speed: slow
# needs: tools
# limit: 420
connect a host
guest one --card a --image tools --memory 1G --timeout 400 clock-kernel
