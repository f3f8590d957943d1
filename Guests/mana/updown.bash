# The interface goes down and up, at rest and under load.
# about: interface down and up 20 times
# speed: slow
# limit: 400
connect a host
serve_iperf
guest one --card a --timeout 380 updown 20
