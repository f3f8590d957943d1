# What ended Linux when it ran its own tests here, tried on purpose: a guest that dies of it is this scenario's result, not
# its failure. See docs/upstream-suspicions.md.
# about: crashes of Linux's igc: statistics while channels change, frames while a zero-copy program detaches or rings change
# speed: slow
# needs: tools
# limit: 640
# shellcheck disable=SC2034 # guest.bash reads it
dies_on_purpose=1
connect a b
connect c d
connect e f

# What the driver dies in, or does not come out of, by trial.
declare -A place=(
    [statistics]='igc_update_stats'
    [detach]='igc_poll|igc_clean_rx_irq_zc|xsk_set_[rt]x_need_wakeup'
    [rings]='igc_clean_tx_ring'
)

# death TRIAL CONSOLE: where Linux died, or hangs. What was freed twice is often found out later, and elsewhere.
death() {
    grep -aoE -m 1 "RIP: [0-9]*:(${place[$1]})[^ ]*" "$2" ||
        { grep -aq 'Kernel panic' "$2" && grep -aoE -m 1 'RIP: 0010:[^ ]*' "$2"; }
}

guest statistics --card a --card b --image tools --memory 1G --cpus 4 --timeout 200 suspicions-crashes statistics \
    > "$work/statistics.lines"
guest detach --card c --card d --image tools --memory 1G --cpus 2 --timeout 200 suspicions-crashes detach \
    > "$work/detach.lines"
await_guests
guest rings --card e --card f --image tools --memory 1G --cpus 4 --timeout 200 suspicions-crashes rings \
    > "$work/rings.lines"
await_guests
for trial in statistics detach rings; do
    console=$keep/$trial.console
    if death=$(death "$trial" "$console"); then
        printf 'note\t%s, reproduced: %s\n' "$trial" "$death"
        # The guest did not come to its end, of course.
        grep -v 'ran to its end' "$work/$trial.lines" || true
        printf 'ok\t%s: the trial was made\n' "$trial"
    else
        cat "$work/$trial.lines"
    fi
done
