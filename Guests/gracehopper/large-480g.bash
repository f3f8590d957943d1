# 480 GB: BAR 4 has 512 GiB, which takes a CPU with more than 40 bits of physical addresses.
# about: a device of 480 GB; the server's resident memory
# speed: slow
# limit: 120
# inside: nvgrace-trial
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here
# shellcheck source=Guests/library/device-memory.bash
. "$guests/library/device-memory.bash"

bring nvgrace-trial
connect gpu -- --memory 480000000000
guest one --no-driver --card gpu "${brought[@]}" --qemu -cpu --qemu max,phys-bits=46 \
    large 0x80000000 0x8000000000 0x423ac000 0x6f80000000
