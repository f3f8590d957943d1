# Two guests on a cable: the clock of one follows the other's.
# about: ptp4l between two guests, until it locks
# speed: slow
# limit: 240
connect a b
guest one --card a --cpus 2 ptp4l source
guest two --card b --cpus 2 ptp4l follower
