# What reading Linux's igc made us suspect of zero-copy AF_XDP, tried: see docs/upstream-suspicions.md.
# about: suspected bugs of Linux's igc: wake-up with two queues, stamps of frames that are passed on
# speed: slow
# needs: tools
# limit: 240
connect a b
guest one --card a --card b --image tools --memory 1G --cpus 2 suspicions-zero-copy
