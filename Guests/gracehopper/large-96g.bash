# 96 GiB: more than this machine may have. The server's memory is sparse: what nobody touches costs nothing.
# about: a device of 96 GiB; the server's resident memory
# speed: quick
# limit: 120
# inside: nvgrace-trial
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here
# shellcheck source=Guests/library/device-memory.bash
. "$guests/library/device-memory.bash"

bring nvgrace-trial
connect gpu -- --memory 96G
guest one --no-driver --card gpu "${brought[@]}" large 0x40000000 0x2000000000 0x40000000 0x17c0000000
