# Two cards of one guest on a cable: each frame's hardware stamps, switched on and off by hwstamp_ctl.
# about: hardware time stamps: hwstamp_ctl, SO_TIMESTAMPING
# speed: slow
# needs: tools
# limit: 240
connect a b
guest one --card a --card b --image tools --memory 1G --cpus 4 stamps
