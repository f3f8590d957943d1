#!/bin/dash
# usage: vfio-diagnosis with|without (an IOMMU)
# shellcheck source=Guests/igc/guest/vfio.sh
. /doorbell/vfio.sh
card=0000:01:00.0
pair=0000:02:00

# refused NAME REGEX [ADDRESS]: the command ends with 77 and says this.
refused() {
    local status=0
    doorbell run i225 --backing "vfio:${3-$card}" --netdev tap:card > /tmp/refusal 2>&1 || status=$?
    cat /tmp/refusal
    if [ $status != 77 ]; then
        fail "$1" "it ended with $status, not 77: $(cat /tmp/refusal)"
    else
        expect_text "$1" "$(cat /tmp/refusal)" "$2"
    fi
}

# remedy: runs the commands that the last refusal names for doing it by hand, as they are printed.
remedy() {
    sed -n '/^  or by hand:$/,$ s/^  //p' /tmp/refusal | sed 1d > /tmp/remedy
    [ -s /tmp/remedy ] && cat /tmp/remedy && sh -e /tmp/remedy
}

if [ "$1" = without ]; then
    modprobe -a vfio-pci vfio_iommu_type1
    refused "no IOMMU: said so" '^doorbell run: the IOMMU is off: 0000:01:00.0 '
    expect_text "no IOMMU: the remedy is there" "$(cat /tmp/refusal)" '^  intel_iommu=on$'
    exit
fi

modprobe igb
refused "no such function: said so" 'there is no PCI function 0000:0f:00.0' 0000:0f:00.0
refused "another driver's function: said whose" "0000:01:00.0 belongs to the driver igb, not to vfio-pci"
check "another driver's function: the remedy works as printed" remedy
modprobe -r vfio_iommu_type1
refused "no driver for the IOMMU: said so" "VFIO has no driver for this machine's IOMMU|no /dev/vfio/vfio"
modprobe vfio_iommu_type1

modprobe e1000e
check "one function of two is bound to vfio-pci" bind_vfio $pair.0
refused "group not viable: said which device holds it" \
    "is not viable: other drivers have $pair.1 \\(e1000e\\)" $pair.0
echo $pair.1 > /sys/bus/pci/devices/$pair.1/driver/unbind
status=0
doorbell run i225 --backing vfio:$pair.0 --netdev tap:card > /tmp/refusal 2>&1 || status=$?
cat /tmp/refusal
expect "group viable: the function is had, and is no I225" $status -eq 1

igb-trial $card card > /tmp/trial 2>&1 &
trial=$!
check "the function is had" within 40 grep -qx ready /tmp/trial
refused "group in use: said so" 'IOMMU group [0-9]+ is in use by another process'
kill -TERM $trial
wait $trial
expect_text "the function is given back" "$(cat /tmp/trial)" '^nothing is left on loan'

# as_user COMMAND...: without any capability, and with 64 KiB of memory that may be locked.
printf 'user:x:1000:1000::/:/bin/sh\n' >> /etc/passwd
as_user() { (ulimit -l 64 && start-stop-daemon -S -c 1000:1000 -x "$1" -- "$2" "$3"); }
group=$(group_file $card)
chmod 666 /dev/vfio/vfio
as_user /bin/igb-trial $card card > /tmp/refusal 2>&1
expect_text "no permission: said on which file" "$(cat /tmp/refusal)" "^$group may not be opened by this user"
expect_text "no permission: the remedy is there" "$(cat /tmp/refusal)" "^  chown \"\\\$USER\" $group\$"
chown 1000 "$group"
chmod 666 /dev/net/tun
ip tuntap add dev users mode tap user 1000
as_user /bin/igb-trial $card users > /tmp/refusal 2>&1
expect_text "locked memory: the limit is named" "$(cat /tmp/refusal)" 'the limit of locked memory is 65536 bytes'
expect_text "locked memory: and what is needed" "$(cat /tmp/refusal)" 'ulimit -l [0-9]+'
cat /tmp/refusal
