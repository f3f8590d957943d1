# Guests of 1, 2, 4 and 8 CPUs, one after another on the same card: each finds it as if it were new, and spreads its vectors
# as our rules say.
# about: 1, 2, 4 and 8 CPUs, two NUMA nodes: queues, vectors, where they are handled
# speed: slow
# limit: 600
connect a host
serve_iperf

# spread RULE COUNT NODE FILE=TEXT...: where our rules put so many vectors, a line for each, over the topology that these
# files below /sys/devices/system show ("_" for a space); "-": the card has no node.
answer_spread() {
    local rule=$1 count=$2 node=$3 folder file near=()
    shift 3
    [[ $node == - ]] || near=(--node "$node")
    folder=$(mktemp -d "$work/sysfs.XXXXXX")
    for file; do
        mkdir -p "$folder/devices/system/$(dirname "${file%%=*}")"
        tr _ ' ' <<< "${file#*=}" > "$folder/devices/system/${file%%=*}"
    done
    "$doorbell" spread --sysfs "$folder" --vectors "$count" --rule "$rule" ${near[@]+"${near[@]}"}
}

for count in 1 2 4,cores=4 4,cores=2,threads=2 8,sockets=2,cores=2,threads=2; do
    guest "cpus-$count" --card a --cpus "$count" --label "CPUs: $count" --timeout 160 cpus "${count%%,*}"
    await_guests
done
for node in 0 1; do
    guest "node-$node" --card a --cpus 8,sockets=2,cores=2,threads=2 --nodes '0-3 4-7' --label "on node $node of 2" \
        --timeout 160 --no-driver cpus 8 "$node"
    await_guests
done
