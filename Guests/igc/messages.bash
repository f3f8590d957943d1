# A guest whose memory the server cannot map: every descriptor and every frame goes by DMA_READ and DMA_WRITE.
# about: a guest with private memory: DMA by messages
# speed: quick
# limit: 240
[[ $model == i225 ]] || skipped "QEMU's own cards have no messages"
connect a host
serve_iperf
guest one --card a --private-memory --timeout 220 messages
