# A card that can moderate completions, which Linux 7.x asks for (ethtool -C) and 6.12 does not know.
# about: ethtool -C: fewer interrupts for the same frames
# speed: quick
# limit: 240
[[ $which == backports ]] || skipped "this kernel's driver asks for no moderation"
connect a host -- --moderation
serve_iperf
guest one --card a --timeout 220 moderation
