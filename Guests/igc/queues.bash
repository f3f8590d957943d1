# Receive side scaling and several queues.
# about: RSS over four queues, channels
# speed: slow
# limit: 300
connect a host
serve_iperf
guest one --card a --cpus 4 --timeout 280 queues
