#!/bin/dash
# shellcheck source=Guests/igc/guest/vfio.sh
. /doorbell/vfio.sh
card=0000:01:00.0

# start_driver: waits until frames pass.
start_driver() {
    doorbell run i225 --backing "vfio:$card" --netdev tap:card > /tmp/run 2>&1 &
    driver=$!
    within 40 grep -qx ready /tmp/run && ip address replace 192.0.2.10/24 dev card && ip link set card up
}

# stop_driver: as a service manager does.
stop_driver() {
    kill -TERM "$driver"
    wait "$driver"
}

check "the card is bound to vfio-pci" bind_vfio "$card"
check "our driver brings the card up" start_driver
cat /tmp/run
check "the host answers ping" ping -c 20 -i 0.1 -W 5 -q 192.0.2.1
note "ping: $(tail -n 1 /tmp/check.output)"
check "long frames pass whole" ping -c 5 -i 0.1 -W 5 -s 1472 -M "do" -q 192.0.2.1
check "iperf3, TCP, to the host" iperf3 -c 192.0.2.1 -t 3 -f m
note "TCP to the host: $(grep receiver /tmp/check.output)"
check "iperf3, TCP, from the host" iperf3 -c 192.0.2.1 -t 3 -f m -R
note "TCP from the host: $(grep receiver /tmp/check.output)"
check "iperf3, UDP, to the host" iperf3 -c 192.0.2.1 -t 2 -f m -u -b 20M
note "UDP to the host: $(grep receiver /tmp/check.output)"
expect "two vectors of five are attached" "$(grep -c "vfio-msix.*($card)" /proc/interrupts)" -eq 2
check "our driver ends when asked to" stop_driver
cat /tmp/run
expect_text "it sent and received" "$(cat /tmp/run)" '^ *rx_packets: [0-9]{3,}'
expect_text "no frame was lost for errors" "$(grep -c 'rx_errors\|tx_errors\|rx_crc' /tmp/run)" '^0$'
expect "vectors are given back" "$(grep -c "vfio-msix.*($card)" /proc/interrupts)" -eq 0

check "our driver takes the card a second time" start_driver
check "the host answers ping again" ping -c 5 -i 0.1 -W 5 -q 192.0.2.1
check "our driver ends again" stop_driver

echo 16 > /proc/sys/vm/nr_hugepages
note "huge pages set aside: $(cat /proc/sys/vm/nr_hugepages)"
check "our driver runs on huge pages" start_driver
free=$(awk '/HugePages_Free/ { print $2 }' /proc/meminfo)
expect "it uses huge pages" "$free" -lt "$(cat /proc/sys/vm/nr_hugepages)"
check "the host answers ping on huge pages" ping -c 5 -i 0.1 -W 5 -q 192.0.2.1
check "iperf3 on huge pages" iperf3 -c 192.0.2.1 -t 3 -f m -R
note "huge pages, TCP from the host: $(grep receiver /tmp/check.output)"
check "our driver ends a third time" stop_driver
expect "huge pages are given back" "$(awk '/HugePages_Free/ { print $2 }' /proc/meminfo)" -eq \
    "$(cat /proc/sys/vm/nr_hugepages)"

# A driver that dies gives nothing back itself: the kernel closes the function, and the card is reset.
check "our driver takes the card a fourth time" start_driver
kill -KILL "$driver"
wait "$driver" 2> /dev/null
check "after a driver that was killed, the next one starts" start_driver
check "and the host answers ping" ping -c 5 -i 0.1 -W 5 -q 192.0.2.1
check "and it ends when asked to" stop_driver
