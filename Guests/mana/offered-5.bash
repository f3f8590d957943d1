# A card whose table has room for all, and that says that five may be used.
# about: max_msix 5 for 8 CPUs
# speed: slow
# limit: 200
connect a host -- --vectors 5
guest one --card a --cpus 8 --timeout 180 limits 8 5
