# The card vanishes under our driver: its server is killed, so that QEMU, and with it the guest, reads all ones.
# about: our driver in a guest loses its card
# speed: slow
# limit: 300
# inside: doorbell
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here

# lose: the card is gone from now on.
answer_lose() { kill -KILL "$lost_server"; }

bring doorbell
make_tap host "$host_address"
"$doorbell" serve i225 --socket "$work/lost.sock" --wire tap:host > "$keep/server.log" 2>&1 &
lost_server=$!
# Its end is no news.
disown "$lost_server"
guest one --no-driver --iommu --vfio-user "$work/lost.sock" "${brought[@]}" --timeout 260 vfio-gone
