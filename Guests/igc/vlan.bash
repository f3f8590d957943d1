# VLAN tags between two guests.
# about: VLAN tags by the card and by the kernel, in jumbo frames too
# speed: slow
# limit: 300
connect a b host
guest one --card a --label one --timeout 280 vlan 10
guest two --card b --label two --timeout 280 vlan 11
