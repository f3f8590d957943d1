# The kernel's driver tests of checksums and XDP. tso.py is left out: mana has no statistics by queue.
# about: kernel selftests: csum, xdp
# speed: slow
# needs: tools
# limit: 900
connect a b
guest one --card a --card b --image tools --memory 2G --cpus 4 --timeout 880 kernel-tests \
    hw/csum.py xdp.py
