# A card with two ports; the wire is at the first one.
# about: two ports: an interface each, their queues and addresses; traffic by the first
# speed: slow
# limit: 300
connect a host -- --ports 2 --trace
guest one --card a --cpus 4 --timeout 280 ports
