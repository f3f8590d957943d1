# The kernel's driver tests of receive side scaling. toeplitz.py is left out: mana does not tell its interrupts by NAPI.
# about: kernel selftests: rss
# speed: slow
# needs: tools
# limit: 900
connect a b
guest one --card a --card b --image tools --memory 2G --cpus 6 --timeout 880 kernel-tests \
    hw/rss_ctx.py hw/rss_api.py hw/rss_drv.py
