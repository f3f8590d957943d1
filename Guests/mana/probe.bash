# Linux's driver binds to the card, brings the link up, and says nothing that it should not; the card sees the vectors that
# the driver enables, and when.
# about: probe, the order of vectors and requests, without a warning
# speed: quick
# limit: 180
connect a host -- --trace
guest one --card a probe
