# The kernel's driver tests of ethtool: counters by standard, size histograms, link modes, loopback.
# about: kernel selftests: ethtool counters, rmon, link modes, loopback
# speed: slow
# needs: tools
# limit: 1200
connect a b
guest one --card a --card b --image tools --memory 2G --cpus 4 --timeout 1180 kernel-tests \
    hw/ethtool.sh,+ hw/ethtool_mm.sh,+ hw/loopback.sh,+ hw/ethtool_std_stats.sh hw/ethtool_rmon.sh
