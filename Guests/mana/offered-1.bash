# A card that has a vector for its channel, and none for frames.
# about: max_msix 1: refused
# speed: slow
# limit: 200
connect a host -- --vectors 1
guest one --card a --timeout 180 --no-driver refused
