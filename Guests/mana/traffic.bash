# Frames to and from a wire on the host.
# about: ping, iperf3 and files to the host, both ways
# speed: quick
# limit: 300
connect a host
serve_iperf
guest one --card a --timeout 280 traffic
