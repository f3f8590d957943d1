# What the card tells its driver of: the link, and that it wants to be set up anew.
# about: the cable pulled and plugged; a service reset
# speed: slow
# limit: 300
connect a host -- --trace
serve_iperf

# reset: the card asks its driver to take it down and up again.
answer_reset() { kill -USR2 "${server_of[a]}"; }
guest one --card a --timeout 280 events
