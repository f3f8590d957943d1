# What ethtool shows and changes.
# about: ethtool -i -l -L -S -x -X -k -g -c, with their values
# speed: quick
# limit: 300
connect a host -- --trace
guest one --card a --cpus 4 --timeout 280 ethtool
