# A card whose MSI-X table is shorter than what it says may be used.
# about: an MSI-X table of 4 for 8 CPUs
# speed: slow
# limit: 200
connect a host -- --table 4
guest one --card a --cpus 8 --timeout 180 limits 8 4
