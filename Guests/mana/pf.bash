# A physical function: registers in other places, and requests that a virtual function's driver does not send.
# about: the physical function (1414:00b9): probe, its port and filter, traffic, unload
# speed: slow
# limit: 300
connect a host -- --function pf --trace
guest one --card a --cpus 4 --timeout 280 physical 1414:00b9
