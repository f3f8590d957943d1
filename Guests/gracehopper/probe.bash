# A GH200's memory as its tools show it, 97871 MiB: the guest's kernel finds the real BAR 0 and the two that the device does
# not have.
# about: lspci -vvv: sizes and flags of BARs 0, 2 and 4
# speed: quick
# limit: 120
# inside: nvgrace-trial
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here

bring nvgrace-trial
connect gpu -- --memory 97871M
guest one --no-driver --card gpu "${brought[@]}" --file "$suite_folder/golden/lspci.txt" probe
