#!/bin/dash
# usage: reload TIMES: the driver leaves and comes back, as often.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

# works: the interface is there, comes up, has a link, and the host answers.
works() {
    within 10 test -e /sys/class/net/eth0 && ip address replace 192.0.2.10/24 dev eth0 && ip link set eth0 up &&
        within 30 has_carrier eth0 && reaches "$host"
}

failures=0
for time in $(seq 1 "$1"); do
    if ! works > /tmp/works 2>&1; then
        failures=$((failures + 1))
        note "time $time: $(tail -n 3 /tmp/works)"
    fi
    rmmod "$driver" || failures=$((failures + 1))
    [ ! -e "$card/driver" ] || failures=$((failures + 1))
    # Half of them by the module, half by an unbind and a bind.
    modprobe "$driver" || failures=$((failures + 1))
    if [ $((time % 2)) = 0 ]; then
        echo 0000:01:00.0 > "/sys/bus/pci/drivers/$driver/unbind" &&
            echo 0000:01:00.0 > "/sys/bus/pci/drivers/$driver/bind" || failures=$((failures + 1))
    fi
done
expect "loaded and unloaded $1 times, with a ping each time" $failures -eq 0
bring_up 192.0.2.10
check "the host answers" reaches "$host"

# Function reset by PCI, under a driver that is not told. Mana has given the card all that it works with, and would have to
# do so again.
ip link set eth0 down
if [ "$driver" = mana ]; then
    skip "a reset of the function" "mana does not survive what it is not told of"
    ip link set eth0 up
elif [ -e "$card/reset" ]; then
    # The bus says so, as a warning.
    allow_log ': (resetting|reset done)$'
    check "a reset of the function" sh -c "echo 1 > $card/reset"
    ip link set eth0 up
    check "the link is up after the reset" within 30 has_carrier eth0
    check "the host answers after the reset" reaches "$host"
else
    skip "a reset of the function" "the card offers none"
fi

# Removed from the bus, found again.
echo 1 > "$card/remove"
expect "removed" "$(test -e $card; echo $?)" -eq 1
echo 1 > /sys/bus/pci/rescan
check "found again" within 10 test -e /sys/class/net/eth0
bring_up 192.0.2.10
check "the host answers after removal" reaches "$host"
