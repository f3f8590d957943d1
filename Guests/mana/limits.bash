# Cards that offer few vectors.
# about: max_msix 5, a table of 4, one vector
# speed: slow
# limit: 400
connect a host-a -- --vectors 5
guest offered-5 --card a --cpus 8 --label "5 offered" --timeout 120 limits 8 5
await_guests
connect b host-b -- --table 4
guest table-4 --card b --cpus 8 --label "table of 4" --timeout 120 limits 8 4
await_guests
connect c host-c -- --vectors 1
guest offered-1 --card c --label "1 offered" --timeout 120 --no-driver refused
