# Our driver's rings, interrupts and stamps on a card that nobody here wrote: QEMU's igb (82576), taken by VFIO.
# The other end of its cable is a second igb, with Linux's driver.
# about: our driver's rings, interrupts and stamps on QEMU's igb
# speed: quick
# limit: 200
# inside: igb-trial
# shellcheck disable=SC2154 # machine.bash fills `brought` and `this_guest`

# link on|off: QEMU's own cable.
answer_link() { monitor "$this_guest" set_link near "$1"; }

bring igb-trial
guest one --no-driver --iommu "${brought[@]}" \
    --qemu -netdev --qemu hubport,id=near,hubid=0 --qemu -netdev --qemu hubport,id=far,hubid=0 \
    --device igb,id=card,netdev=near --device igb,id=peer,netdev=far,mac=02:db:00:00:00:02 \
    --timeout 150 vfio-igb
