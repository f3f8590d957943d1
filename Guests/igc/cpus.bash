# Guests of 1, 2 and 4 CPUs, one after another on the same card: each finds it as if it were new.
# about: 1, 2 and 4 CPUs
# speed: slow
# limit: 500
connect a host
serve_iperf
for count in 1 2 4; do
    guest "cpus-$count" --card a --cpus "$count" --label "CPUs: $count" --timeout 160 cpus "$count"
    await_guests
done
