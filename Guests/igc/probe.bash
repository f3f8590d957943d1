# Linux's driver binds to the card, brings the link up, and says nothing that it should not.
# about: probe, without a warning
# speed: quick
# limit: 180
connect a host
guest one --card a probe
