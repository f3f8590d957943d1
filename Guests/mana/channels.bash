# Channels and the receive table changed while frames pass.
# about: channels and RSS changed under traffic; RSS spreads flows
# speed: slow
# limit: 400
connect a host -- --trace
serve_iperf
guest one --card a --cpus 4 --timeout 380 channels
