# The kernel's own test of statistics that are read while channels change ends Linux: here it may. See
# docs/upstream-suspicions.md.
# about: suspected bug of Linux's igc: statistics while channels change
# speed: slow
# needs: tools
# limit: 200
connect a b
guest one --card a --card b --image tools --memory 1G --cpus 4 suspicions-statistics
