#!/bin/dash
# usage: limits CPUS VECTORS: how many CPUs the guest has, and how many vectors it can have.
# shellcheck source=Guests/guest/network.sh
. /doorbell/network.sh
# shellcheck source=Guests/mana/guest/steps.sh
. /doorbell/steps.sh

expect "the guest has its CPUs" "$(nproc)" -eq "$1"
bring_up 192.0.2.10
check "the host answers ping" reaches "$host"
if is_new_driver; then
    # What it does not get it does not take.
    allow_log 'Limiting MSI-X vectors'
    expect "as many vectors as it can use" "$(vectors)" -eq "$2"
    expect "a queue for each vector but the channel's" "$(queue_count)" -eq $(($2 - 1))
else
    # It takes what the table has before it knows what it may use.
    expect "a queue for each vector that it may use, but the channel's" "$(queue_count)" -eq $(($2 - 1))
fi
send_file "1 MiB to the host" "$host" 5001 1048576
receive_file "1 MiB from the host" "$host" 5002 1048576
