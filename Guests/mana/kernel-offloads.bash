# The kernel's driver tests of checksums and segmentation.
# about: kernel selftests: csum, tso, xdp
# speed: slow
# needs: tools
# limit: 900
connect a b
guest one --card a --card b --image tools --memory 2G --cpus 4 --timeout 880 kernel-tests \
    hw/csum.py hw/tso.py xdp.py
