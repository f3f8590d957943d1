# Firmware that says nothing of the memory, or that the link to it is down: the function is passed through as it is.
# about: no properties; the link down
# speed: slow
# limit: 180
# inside: nvgrace-trial
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here

bring nvgrace-trial
connect without -- --absent base --absent size --memory 97871M
guest without --no-driver --card without "${brought[@]}" fallback
await_guests
connect down -- --link-down --memory 97871M
guest down --no-driver --card down "${brought[@]}" fallback
