#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh

bring_up 192.0.2.10
reaches "$host"
address=$(cat /sys/class/net/eth0/address)

information=$(ethtool -i eth0)
expect_text "-i names the driver" "$information" "^driver: $driver\$"
expect_text "-i has the card's place" "$information" '^bus-info: 0000:01:00.0$'
expect_text "-i has a firmware version" "$information" '^firmware-version: [^ ]'
expect_text "-i: statistics are there" "$information" '^supports-statistics: yes'

# The registers: what the driver has set up, and the address that it gave to the first filter.
ethtool -d eth0
expect "-d ends well" $? -eq 0
if [ "$driver" = igc ]; then
    ethtool -d eth0 raw on > /tmp/registers
    # igc_ethtool_get_regs puts each register into a word of its own, in an order of its own.
    register() { echo $((0x$(od -A n -t x4 -j $((4 * $1)) -N 4 /tmp/registers | tr -d ' '))); }
    expect "-d: 740 words" "$(stat -c %s /tmp/registers)" -eq 2960
    expect "-d: STATUS says that the link is up, full duplex" $(($(register 1) & 3)) -eq 3
    expect "-d: STATUS says 2500 Mbit/s" $(($(register 1) & 0x4000c0)) -eq $((0x400080))
    expect "-d: RCTL: the receiver is on" $(($(register 24) & 2)) -eq 2
    expect "-d: RCTL: no loopback" $(($(register 24) & 0xc0)) -eq 0
    expect "-d: TCTL: the transmitter is on" $(($(register 28) & 2)) -eq 2
    # RAL0 has the first four bytes, the first in the lowest place; RAH0 the last two, and the valid bit.
    expect "-d: RAL0 is the card's address" "$(printf %08x "$(register 172)")" = \
        "$(echo "$address" | awk -F : '{ print $4 $3 $2 $1 }')"
    expect "-d: RAH0 is the rest of it" "$(printf %08x "$(register 188)")" = \
        "$(echo "$address" | awk -F : '{ print "8000" $6 $5 }')"
    # Reading is without side effects: causes are read through the registers that set them.
    ethtool -d eth0 raw on > /tmp/again
    check "the host answers after the registers were read twice" reaches "$host"
fi

memory=$(ethtool -e eth0 length 128)
echo "$memory"
expect_text "-e begins with the card's address" "$memory" "0x0000:[[:space:]]*$(echo "$address" | tr : ' ')"
if [ "$driver" = igc ]; then
    # The words 0 to 0x3F add up to 0xBABA.
    sum=$(ethtool -e eth0 offset 0 length 128 | sed -n 's/^0x[0-9a-f]*:[[:space:]]*//p' | tr -s '[:space:]' '\n' |
        awk 'BEGIN { sum = 0 }
             function value(hex) { return index("0123456789abcdef", substr(hex, 1, 1)) * 16 - 16 +
                                          index("0123456789abcdef", substr(hex, 2, 1)) - 1 }
             NF { byte[n++] = value($1) }
             END { for (i = 0; i < 128; i += 2) sum += byte[i] + 256 * byte[i + 1]; printf "%x", sum % 65536 }')
    expect "-e: the words of the NVM add up" "$sum" = baba
fi

before_received=$(statistic rx_packets)
before_sent=$(statistic tx_packets)
before_bytes=$(statistic tx_bytes)
check "ten pings are answered" ping -c 10 -i 0.1 -W 5 -s 1000 "$host"
# The driver reads the card's counters when it is asked to.
expect "-S: rx_packets counted them" $(($(statistic rx_packets) - before_received)) -ge 10
expect "-S: tx_packets counted them" $(($(statistic tx_packets) - before_sent)) -ge 10
# 1000 bytes of data, 8 of ICMP, 20 of IP, 14 of Ethernet, 4 of checksum, ten times
expect "-S: tx_bytes counted them" $(($(statistic tx_bytes) - before_bytes)) -ge 10420
for name in rx_crc_errors rx_missed_errors rx_errors tx_errors tx_dropped rx_length_errors tx_timeout_count; do
    expect "-S: $name is 0" "$(statistic $name)" -eq 0
done
queues=$(find /sys/class/net/eth0/queues -name 'rx-*' | wc -l)
in_queues=0
for queue in $(seq 0 $((queues - 1))); do
    in_queues=$((in_queues + $(statistic "rx_queue_${queue}_packets")))
done
expect "-S: the queues have all that came in" $in_queues -ge 10

stamps=$(ethtool -T eth0)
expect_text "-T: a hardware clock" "$stamps" '(PTP Hardware Clock|Hardware timestamp provider index): 0'
expect_text "-T: stamps of what is sent" "$stamps" 'hardware-transmit'
expect_text "-T: stamps of what is received" "$stamps" 'hardware-receive'
if [ "$driver" = igc ]; then
    expect_text "-T: all that is received can be stamped" "$stamps" '^[[:space:]]*all$'
fi

features=$(ethtool -k eth0)
for feature in rx-checksumming tx-checksum-ip-generic tcp-segmentation-offload scatter-gather receive-hashing \
    rx-vlan-offload tx-vlan-offload; do
    expect_text "-k: $feature" "$features" "^[[:space:]]*$feature: (on|off)\$"
done
check "-K: offloads can be turned off" ethtool -K eth0 rx off tx off tso off rxvlan off txvlan off rxhash off
check "the host answers without them" reaches "$host"
check "-K: and on again" ethtool -K eth0 rx on tx on tso on rxvlan on txvlan on rxhash on
check "the link is up again" within 30 has_carrier eth0
check "the host answers with them" reaches "$host"

table=$(ethtool -x eth0)
echo "$table"
expect "-x: 128 entries" "$(echo "$table" | sed -n 's/^ *[0-9]*: *\([0-9 ]*\)$/\1/p' | wc -w)" -eq 128
expect "-x: each queue has its part" \
    "$(echo "$table" | sed -n 's/^ *[0-9]*: *\([0-9 ]*\)$/\1/p' | tr -s ' ' '\n' | sort -u | grep -c .)" -eq "$queues"

rings=$(ethtool -g eth0)
expect "-g: up to 4096 descriptors" "$(echo "$rings" | grep -cE '^(RX|TX):[[:space:]]*4096$')" -eq 2
check "-G: other sizes" ethtool -G eth0 rx 512 tx 1024
within 30 has_carrier eth0
expect "-g: they are in effect" "$(ethtool -g eth0 | grep -cE '^(RX:[[:space:]]*512|TX:[[:space:]]*1024)$')" -eq 2
check "the host answers with rings of other sizes" reaches "$host"
check "-C: interrupts at most every 100 µs" ethtool -C eth0 rx-usecs 100
expect_text "-c: it is in effect" "$(ethtool -c eth0)" '^rx-usecs:[[:space:]]*100$'
check "the host answers with fewer interrupts" reaches "$host"
expect_text "-a: pause frames are negotiated" "$(ethtool -a eth0)" '^Autonegotiate:[[:space:]]*on$'
check "-r: negotiation begins again" ethtool -r eth0
sleep 1
check "the link comes back" within 30 has_carrier eth0

# The driver's own test of the card: registers, NVM, interrupts, loopback, link.
test=$(ethtool -t eth0 offline)
status=$?
echo "$test"
expect "-t offline ends well" $status -eq 0
expect_text "-t offline passes" "$test" '^The test result is PASS'
for part in Register Eeprom Interrupt Loopback Link; do
    expect_text "-t offline: $part test" "$test" "^$part test .*[[:space:]]0\$"
done
check "the link is up after the test" within 30 has_carrier eth0
check "the host answers after the test" reaches "$host"
check "-t online" ethtool -t eth0 online
