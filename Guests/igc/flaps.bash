# The cable is pulled and plugged in again.
# about: link flaps, also under load
# speed: slow
# limit: 400
connect a host
serve_iperf
guest one --card a --timeout 380 flaps 10
