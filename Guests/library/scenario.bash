# Runs one scenario: a file of a suite that says which cards, wires and guests there are. Started by run, in a network and
# process namespace of its own; check lines go to standard output.
# usage: scenario.bash SUITE SCENARIO KERNEL MODEL KEEP
# shellcheck shell=bash disable=SC2034,SC2154
set -euo pipefail

guests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=$1 scenario=$2 which=$3 model=$4 keep=$5
suite_folder=$guests/$suite
doorbell=${DOORBELL_COMMAND-}
# shellcheck source=library/archive.bash
. "$guests/library/archive.bash"
# shellcheck source=library/image.bash
. "$guests/library/image.bash"
# shellcheck source=library/guest.bash
. "$guests/library/guest.bash"
# shellcheck source=library/machine.bash
. "$guests/library/machine.bash"
# shellcheck source=library/traffic.bash
. "$guests/library/traffic.bash"

case $model in
    i225) driver_module=igc ;;
    mana) driver_module=mana ;;
    # Linux has none for it on amd64.
    gracehopper) driver_module='' ;;
    *) driver_module=$model ;;
esac
# Sockets have short names; what the runner keeps may lie deep.
work=$(mktemp -d)
mkdir -p "$keep"

end_scenario() {
    local server status
    # A server that died by itself, or that does not end when asked to, is a failure.
    for server in ${servers[@]+"${servers[@]}"}; do
        status=0
        kill -TERM "$server" 2> /dev/null || true
        wait "$server" || status=$?
        if ((status == 0)); then
            printf 'ok\tthe server served to the end\n'
        else
            printf 'not ok\tthe server served to the end\tit ended with %s: %s\n' "$status" \
                "$(tail -qn 2 "$keep"/server-*.log | tr '\n\t' '  ')"
        fi
    done
    rm -rf "$work"
}
trap end_scenario EXIT

ip link set lo up
# shellcheck disable=SC1090 # the scenario
. "$suite_folder/$scenario.bash"
await_guests
