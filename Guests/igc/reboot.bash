# The guest reboots; the card is there again.
# about: guest reboot, with frames on their way
# speed: slow
# limit: 300
connect a host
guest one --card a --reboot --timeout 280 reboot 2
