# The card's clock, with the kernel's testptp and linuxptp's phc_ctl.
# about: clock operations: testptp, phc_ctl
# speed: slow
# needs: tools
# limit: 240
connect a host
guest one --card a --image tools --memory 1G clock
