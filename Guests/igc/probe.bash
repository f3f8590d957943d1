# Linux's driver binds to the card and says nothing that it should not.
# about: probe, without a warning
# speed: quick
connect a host
guest one --card a probe
