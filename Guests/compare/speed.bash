# Our I225 beside QEMU's igb and e1000e: three cards in one guest, each on a TAP device of its own, measured in turn. The
# figures are the medians of the rounds; a check holds if ours is at least as fast.
# about: Mbit/s, frames/s and round trips of I225, igb and e1000e in one guest
# speed: slow
# limit: 900
# shellcheck disable=SC2034,SC2154 # machine.bash reads and has what is set and read here
# As people run QEMU's cards: large sends and unfinished checksums are left to the host's kernel.
virtio_headers=on
number=0
for model in i225 igb e1000e; do
    number=$((number + 1))
    host_address=10.0.$number.1
    connect "$model" "host-$model"
done
serve_iperf

# frames CARD: how many frames have come out of this card.
answer_frames() { ip -s link show dev "host-$1" | awk '/RX:/ { getline; print $2 }'; }

# flood CARD ADDRESS: frames of 60 bytes into the card, as fast as its TAP device takes them, until `still`. They are of
# an EtherType for experiments, so that the guest drops them as soon as it has seen them.
answer_flood() {
    PYTHONHOME=$tree/usr become_fetched usr/bin/python3 "$guests/compare/flood.py" "host-$1" "$2" > "$keep/flood.log" 2>&1 &
    echo $! > "$work/flood.pid"
}
answer_still() { kill -TERM "$(< "$work/flood.pid")"; }

guest one --no-driver --card i225 --card igb --card e1000e --module igc --module igb --module e1000e --module pktgen \
    --timeout 880 speed 5 i225 igb e1000e
