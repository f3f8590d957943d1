# Frames of other lengths.
# about: MTU 68 to 9000, changed under traffic
# speed: slow
# limit: 300
connect a host
serve_iperf
guest one --card a --timeout 280 mtu
