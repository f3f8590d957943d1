#!/bin/dash
# usage: physical VENDOR:DEVICE: the card's, as the driver has to know it.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

card=/sys/bus/pci/devices/0000:01:00.0
expect "the card is what it was to be" "$(cat $card/vendor $card/device | tr -d '\n')" = "0x${1%:*}0x${1#*:}"
modprobe mana
if [ "$1" = 1414:00c1 ] && ! is_new_driver; then
    sleep 2
    expect "a driver that does not know the card leaves it alone" "$(test -e $card/driver; echo $?)" -eq 1
    expect "no vector is taken" "$(vectors)" -eq 0
    expect "and nothing is asked" "$(steps)" = ""
    rmmod mana
    exit
fi
check "eth0 appears" within 10 test -e /sys/class/net/eth0
expect "Linux's driver is bound" "$(basename "$(readlink $card/driver)")" = mana
bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
send_file "1 MiB to the host" "$host" 5001 1048576
receive_file "1 MiB from the host" "$host" 5002 1048576
expect "a queue for each CPU" "$(queue_count)" -eq 4
# 0x28003 makes the port, 0x28000 its filter. The one goes before the port's send side is set up, the other comes last.
expect_text "the port is made first, the filter last" "$(steps)" ' 0x28003 0x20003 .* 0x20007 .*0x28000 '
check "MTU 9000" ip link set eth0 mtu 9000
within 30 has_carrier eth0
check "the host answers a ping of 8000 bytes" ping -c 2 -W 5 -s 8000 "$host"
expect "no request was refused" "$(refused_requests)" -eq 0

made=$(steps | grep -o 0x28003 | wc -l)
ip link set eth0 down
rmmod mana
after=$(steps)
echo "$after"
expect "every port that was made was ended" "$(echo "$after" | grep -o 0x28004 | wc -l)" -eq "$made"
expect "and so was every filter" "$(echo "$after" | grep -o 0x28001 | wc -l)" -eq "$(echo "$after" | grep -o 0x28000 | wc -l)"
expect_text "the channel ends, then the vectors go" "$after" ' 0x5 end -0 -1 -2 -3 -4 $'
