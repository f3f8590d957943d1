# The physical function of the other kind: its requests, with a virtual function's registers. Linux 6.12 does not know it.
# about: the second physical function (1414:00c1)
# speed: slow
# limit: 300
connect a host -- --function pf2 --trace
guest one --card a --cpus 4 --timeout 280 --no-driver physical 1414:00c1
