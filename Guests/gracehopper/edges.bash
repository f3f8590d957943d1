# A guest's program maps the BARs and reads and writes at their edges. What it writes the host finds in the device's own
# memory, and the reverse: the guest's BAR and the model have the same pages, and nothing is copied.
# about: BARs 2 and 4 through sysfs, at all their edges; shared memory
# speed: quick
# limit: 180
# inside: nvgrace-trial
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here
# shellcheck source=Guests/library/device-memory.bash
. "$guests/library/device-memory.bash"

bring nvgrace-trial
connect gpu -- --memory 4796M --trace
guest one --no-driver --card gpu "${brought[@]}" --timeout 150 edges
