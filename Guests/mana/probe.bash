# Linux's driver binds to the card, brings the link up, and says nothing that it should not; the card sees the vectors that
# the driver attaches, and when.
# about: probe; vectors and requests in the driver's order
# speed: quick
# limit: 180
connect a host -- --trace
guest one --card a --cpus 4 probe
