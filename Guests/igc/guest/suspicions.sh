#!/bin/dash
# Each suspicion is a trial whose outcome is a note. What is checked is that the trial could be made, and what holds
# whether the driver has the bug or not: the card sends what it was given, and the way back to normal is there.
# Source of the suspicions: igc_xdp_xmit_zc, igc_clean_rx_irq_zc and igc_ptp_tx_timeout of Linux 6.12 and 7.3.

# The driver says it when a stamp has not come in time.
allow_log 'Tx timestamp (timeout|hang)|[Cc]learing Tx [Tt]imestamp [Hh]ang'

for name in eth0 eth1; do ip link set $name up; done
linked() { [ "$(cat /sys/class/net/eth0/carrier)$(cat /sys/class/net/eth1/carrier)" = 11 ]; }
check "the links come up" within 20 linked
counter() { ethtool -S "$1" | sed -n "s/^ *$2: //p"; }
word() { sed -n "s/.*$1=\([0-9]*\).*/\1/p" /tmp/check.output; }

# 1. A stamp that comes after the driver gave up on it.
for name in eth0 eth1; do hwstamp_ctl -i $name -t 1 -r 1 > /dev/null; done
stamps eth0 eth1 1 > /tmp/first 2>&1
timed_out() { [ "$(counter eth0 tx_hwtstamp_timeouts)" -ge 1 ]; }
check "the driver gives up on a stamp that does not come" within 25 timed_out
if stamps eth0 eth1 1 > /tmp/second 2>&1; then
    note "a late stamp is not taken for another frame's"
else
    note "late stamp, reproduced: $(grep -m 1 'transmit stamp' /tmp/second || tail -n 1 /tmp/second)"
fi
settled() { stamps eth0 eth1 1 > /dev/null 2>&1; }
check "stamps are right again" within 20 settled

# 2. A message of a queue's vector that comes while XDP's set-up has its NAPI switched off (igc_xdp_set_prog,
# igc_xdp_enable_pool, igc_xdp_disable_pool): the card has masked the vector with the message, as EIAM asks, and nobody
# unmasks it again. The tenth word of the register dump is EIMS.
masked() { [ "$(ethtool -d eth0 raw on 2> /dev/null | od -A n -t x4 -j 32 -N 4 | tr -d ' ')" != 0000001f ]; }
round=0 vector_lost=
while [ $round -lt 20 ]; do
    round=$((round + 1))
    xsk-trial transmit eth0 1000 > /tmp/check.output 2>&1
    sleep 0.1
    if masked; then vector_lost=$round; break; fi
done
if [ $vector_lost ]; then
    note "vector left masked, reproduced: EIMS is $(ethtool -d eth0 raw on | od -A n -t x4 -j 32 -N 4) after $vector_lost rounds"
else
    note "vector left masked: not seen in $round rounds (it is a race)"
fi

# Down and up mends it: every trial from here on begins with whole interrupts.
renew() {
    ip link set eth0 down
    ip link set eth0 up
    within 20 linked
}

# 3. More frames at once than the hardware ring has room for.
renew
check "frames that fit the ring" xsk-trial transmit eth0 100
expect "all of them come back" "$(word completed)" = 100
renew
check "more frames than the ring has room for" xsk-trial transmit eth0 1000
lost=$(($(word submitted) - $(word completed)))
if [ $lost = 0 ]; then
    note "full ring: nothing lost"
else
    note "full ring, reproduced: $lost of 1000 frames are taken from the program and never sent"
fi

# 4. Frames longer than the 1 KB that the card is told a 2048-byte chunk holds.
renew
check "frames in 4096-byte chunks" xsk-trial receive eth0 eth1 4096 1400 10
expect "each is one descriptor" "$(word whole)" = 10
renew
check "frames in 2048-byte chunks" xsk-trial receive eth0 eth1 2048 1400 10
if [ "$(word whole)" = 10 ]; then
    note "2048-byte chunks: whole frames"
else
    note "2048-byte chunks, reproduced: 10 frames come as $(word descriptors) descriptors, of which $(word continued) say that they go on"
fi
