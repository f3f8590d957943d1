# A guest whose memory the server cannot map: rings, requests and frames go by DMA_READ and DMA_WRITE.
# about: a guest with private memory: DMA by messages
# speed: quick
# limit: 240
connect a host
serve_iperf
guest one --card a --private-memory --timeout 220 messages
