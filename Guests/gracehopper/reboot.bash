# The guest resets the function and reboots; the memory keeps what is in it.
# about: reset of the function and reboot of the guest: memory kept
# speed: slow
# limit: 240
# inside: nvgrace-trial
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here
# shellcheck source=Guests/library/device-memory.bash
. "$guests/library/device-memory.bash"

bring nvgrace-trial
connect gpu -- --memory 4796M --trace
guest one --no-driver --card gpu "${brought[@]}" --reboot --timeout 200 reboot 2
