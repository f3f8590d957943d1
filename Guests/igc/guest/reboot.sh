#!/bin/dash
# usage: reboot TIMES: brings the card up and reboots, as often; then powers off.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

boot=$(ask boots)
bring_up 192.0.2.10
check "start $boot: the host answers" reaches "$host"
receive_file "start $boot: 1 MiB from the host" "$host" $((5000 + boot)) 1048576
if [ "$boot" -le "$1" ]; then
    check_kernel_log
    # Frames come in while the machine goes down: none may go into the memory of the next kernel.
    ping -f -w 20 -q "$host" > /tmp/flood 2>&1 &
    sleep 1
    reboot -f
    sleep 100
fi
expect "rebooted $1 times" $((boot - 1)) -eq "$1"
