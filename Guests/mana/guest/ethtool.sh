#!/bin/dash
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

bring_up 192.0.2.10
reaches "$host"

information=$(ethtool -i eth0)
expect_text "-i names the driver" "$information" "^driver: mana\$"
expect_text "-i has the card's place" "$information" '^bus-info: 0000:01:00.0$'
expect_text "-i: statistics are there" "$information" '^supports-statistics: yes'

channels=$(ethtool -l eth0)
echo "$channels"
expect "-l: a channel for each CPU, at most and now" "$(echo "$channels" | grep -cE '^Combined:[[:space:]]*4$')" -eq 2

ethtool -S eth0
in_all() { ethtool -S eth0 | sed -n "s/^ *$1_[0-9]*_packets: //p" | awk '{ sum += $1 } END { print sum + 0 }'; }
before_received=$(in_all rx) before_sent=$(in_all tx)
before_card=$(statistic hc_tx_bytes)
check "ten pings are answered" ping -c 10 -i 0.1 -W 5 -s 1000 "$host"
expect "-S: the queues count what comes in" $(($(in_all rx) - before_received)) -ge 10
expect "-S: and what goes out" $(($(in_all tx) - before_sent)) -ge 10
# 7.x asks the card every two seconds, 6.12 whenever it is asked. 1000 bytes of data, 8 of ICMP, 20 of IP, 14 of Ethernet.
more_bytes() { [ $(($(statistic hc_tx_bytes) - before_card)) -ge 10420 ]; }
check "-S: the card's own counters have them" within 10 more_bytes
for name in tx_cq_err tx_cqe_unknown_type rx_coalesced_err rx_cqe_unknown_type hc_rx_discards_no_wqe hc_tx_err_inval_sgl \
    hc_tx_err_vport_disabled hc_tx_err_inval_vportoffset hc_tx_err_vlan_enforcement hc_tx_err_eth_type_enforcement \
    hc_tx_err_sa_enforcement hc_tx_err_sqpdid_enforcement hc_tx_err_cqpdid_enforcement hc_tx_err_mtu_violation \
    hc_tx_err_gdma; do
    value=$(statistic $name)
    if [ -n "$value" ]; then expect "-S: $name is 0" "$value" -eq 0; fi
done

features=$(ethtool -k eth0)
for feature in rx-checksumming tx-checksum-ipv4 tx-checksum-ipv6 tcp-segmentation-offload scatter-gather receive-hashing; do
    expect_text "-k: $feature is on" "$features" "^[[:space:]]*$feature: on"
done
check "-K: offloads can be turned off" ethtool -K eth0 rx off tx off tso off rxhash off
check "the host answers without them" reaches "$host"
send_file "1 MiB to the host without offloads" "$host" 5001 1048576
check "-K: and on again" ethtool -K eth0 rx on tx on tso on rxhash on
check "the host answers with them" reaches "$host"
send_file "1 MiB to the host with offloads" "$host" 5002 1048576

# table: the entries of the receive table.
table() { ethtool -x eth0 | sed -n 's/^ *[0-9]*: *\([0-9 ]*\)$/\1/p' | tr -s ' ' '\n' | grep .; }
expect "-x: as many entries as the card has" "$(table | wc -l)" -eq 64
expect "-x: each queue has its part" "$(table | sort -u | grep -c .)" -eq 4
expect_text "-x: the key has 40 bytes" "$(ethtool -x eth0)" '^([0-9a-f]{2}:){39}[0-9a-f]{2}$'
expect_text "-x: Toeplitz" "$(ethtool -x eth0)" 'toeplitz: on'
key=$(seq -s : 10 49)
check "-X: another key" ethtool -X eth0 hkey "$key"
expect_text "-x shows it" "$(ethtool -x eth0)" "^$key\$"
check "-X: two queues" ethtool -X eth0 equal 2
expect "-x shows them" "$(table | sort -u | tr '\n' ' ')" = "0 1 "
check "the host answers with another key" reaches "$host"
check "-X: the table of before" ethtool -X eth0 default

rings=$(ethtool -g eth0)
echo "$rings"
if is_new_driver; then
    check "-G: other sizes" ethtool -G eth0 rx 256 tx 512
    expect "-g: they are in effect" "$(ethtool -g eth0 | grep -cE '^(RX:[[:space:]]*256|TX:[[:space:]]*512)$')" -eq 2
    within 30 has_carrier eth0
    check "the host answers with rings of other sizes" reaches "$host"
    expect_text "the link's speed" "$(ethtool eth0)" 'Speed: [0-9]+Mb/s'
fi
expect "no request was refused" "$(refused_requests)" -eq 0
