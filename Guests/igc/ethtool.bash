# What ethtool shows and changes, and the driver's own offline test.
# about: ethtool -t -i -d -e -S -T -k -x -g -c, with their values
# speed: quick
# limit: 300
connect a host
guest one --card a --timeout 280 ethtool
