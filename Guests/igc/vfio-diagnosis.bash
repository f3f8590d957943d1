# What a user is told who cannot have a function from VFIO, each reason brought about for real; and that the remedies work
# as they are printed.
# about: each obstacle of VFIO is named, and its remedy works as printed
# speed: quick
# limit: 200
# inside: doorbell igb-trial
# shellcheck disable=SC2154 # machine.bash fills `brought`

bring doorbell igb-trial
guest without --no-driver "${brought[@]}" --device igb --timeout 90 vfio-diagnosis without
await_guests
# The two functions of the second slot have no ACS between them: they are one group. (Linux trusts an igb's to be apart.)
guest with --no-driver --iommu "${brought[@]}" --device igb --device e1000e,multifunction=on,addr=0.0 \
    --qemu -device --qemu e1000e,bus=port1,addr=0.1 --timeout 120 vfio-diagnosis with
