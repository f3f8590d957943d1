#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

bring_up 192.0.2.10
check "the host answers ping" reaches "$host"

ask cable a off
if is_new_driver; then
    check "the cable is pulled: the link goes" within 10 has_no_carrier eth0
fi
# The server looks at its signals ten times a second.
is_silent() { ! ping -c 2 -i 0.2 -W 1 "$host"; }
check "nobody answers" within 10 is_silent
ask cable a on
check "the cable is plugged: the link is there" within 10 has_carrier eth0
check "the host answers again" reaches "$host"

if is_new_driver; then
    # established: how often the driver has set the channel up.
    established() { steps | grep -o channel | wc -l; }
    established_twice() { [ "$(established)" -ge 2 ]; }
    allow_log 'mana|0000:01:00.0'
    iperf3 -c "$host" -t 40 > /tmp/iperf.output 2>&1 &
    sleep 2
    ask reset
    # The driver waits for ten seconds with all given back.
    check "a reset that the card asks for: the channel is set up anew" within 40 established_twice
    check "the link is there again" within 30 has_carrier eth0
    check "the host answers after the reset" reaches "$host"
    check "TCP goes on over it" wait $!
    tail -n 3 /tmp/iperf.output
    expect_text "all vectors went and came" "$(steps)" ' 0x5 end -0 -1 -2 v0 channel .* v1 v2 '
    steps
else
    skip "a reset that the card asks for" "this driver does not know of it"
fi
