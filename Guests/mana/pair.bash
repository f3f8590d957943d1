# Two guests and the host on a learning switch.
# about: two guests through our switch: ping, iperf3, a file
# speed: quick
# limit: 300
connect a b host
guest one --card a --label one --timeout 280 pair 10
guest two --card b --label two --timeout 280 pair 11
