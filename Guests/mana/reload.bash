# The driver is unloaded and loaded twenty times.
# about: module reload 20 times, bind, removal
# speed: slow
# limit: 600
connect a host
guest one --card a --timeout 580 reload 20
