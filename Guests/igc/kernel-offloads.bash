# The kernel's driver tests of checksums and segmentation.
# about: kernel selftests: csum, tso, uso, gro
# xsk_reconfig.py's check_rx_resize is left out: Linux can hang in it (docs/upstream-suspicions.md).
# speed: slow
# needs: tools
# limit: 900
connect a b
guest one --card a --card b --image tools --memory 2G --cpus 4 --timeout 880 kernel-tests \
    hw/csum.py hw/tso.py hw/uso.py hds.py xdp.py hw/xdp_metadata.py hw/xsk_reconfig.py,-T,check_rx_resize
