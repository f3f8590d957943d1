# The interface goes down and up a hundred times.
# about: ifdown and ifup 100 times, and under load
# speed: slow
# limit: 600
connect a host
serve_iperf
guest one --card a --timeout 580 updown 100
