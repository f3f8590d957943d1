#!/bin/dash
# What every guest script can use: check lines, waiting, questions to the host. Read by init, so scripts need not.
# The lines go to the second serial port (descriptor 9); the console keeps all that programs print.

expected_log=/tmp/expected-log
: > $expected_log

# one_line: what was printed, as one line of reasonable length, without tabs.
one_line() { tr '\n\t\r' '   ' | sed 's/  */ /g' | cut -c 1-400; }

pass() {
    echo "ok: $1"
    printf 'ok\t%s\n' "$1" >&9
}

# fail NAME REASON...
fail() {
    local name=$1
    shift
    echo "NOT OK: $name: $*"
    printf 'not ok\t%s\t%s\n' "$name" "$(echo "$*" | one_line)" >&9
}

# skip NAME REASON...: what this guest cannot check, and why.
skip() {
    local name=$1
    shift
    printf 'skip\t%s\t%s\n' "$name" "$(echo "$*" | one_line)" >&9
}

# note TEXT...: a figure or a remark that is no check.
note() { printf 'note\t%s\n' "$(echo "$*" | one_line)" >&9; }

# check NAME COMMAND...: holds if the command ends with 0; what it printed is the reason if it does not.
check() {
    local name=$1 status=0
    shift
    "$@" > /tmp/check.output 2>&1 || status=$?
    cat /tmp/check.output
    if [ $status = 0 ]; then
        pass "$name"
    else
        fail "$name" "$* ended with $status: $(tail -n 12 /tmp/check.output)"
    fi
    return $status
}

# expect NAME ACTUAL TEST EXPECTED: compares as test(1) does, e.g. expect "queues" "$n" -eq 4.
expect() {
    if test "$2" "$3" "$4"; then pass "$1"; else fail "$1" "expected $3 $4, found $2"; fi
}

# expect_text NAME TEXT REGEX: one line of the text has the extended regular expression.
expect_text() {
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then pass "$1"; else fail "$1" "no $3 in: $2"; fi
}

# within SECONDS COMMAND...: tries again until the command ends with 0; fails when the seconds are over.
within() {
    local until
    until=$(($(uptime_seconds) + $1))
    shift
    until "$@"; do
        [ "$(uptime_seconds)" -lt $until ] || return 1
        sleep 0.2
    done
}

uptime_seconds() { cut -d . -f 1 /proc/uptime; }

# ask QUESTION [WORD]...: has the host answer (answer_QUESTION of the scenario); prints the answer, ends with its status.
ask() {
    local line
    printf 'ask\t%s\n' "$*" >&9
    while IFS= read -r line <&9; do
        case $line in
            '|'*) printf '%s\n' "${line#|}" ;;
            '= '*) return "${line#= }" ;;
        esac
    done
    return 1
}

# meet NAME COUNT: waits until this many guests of the scenario have come to the same point.
meet() { ask meet "$@"; }

# allow_log REGEX: lines of the kernel's log that this script brings about on purpose.
allow_log() { printf '%s\n' "$1" >> $expected_log; }

# kernel_complaints: what the kernel's log has that it should not: traces, hangs, and warnings about a PCI device.
kernel_complaints() {
    dmesg -r | sed 's/^<\([0-9]*\)>\[ *[0-9.]*\]/\1/' | awk '
        # The lowest three bits are the level: 4 is a warning, less is worse.
        /WARNING:|BUG:|Oops|Call Trace|general protection|[Tt]x.*[Hh]ang|NETDEV WATCHDOG|hung task|blocked for more/ ||
        (($1 + 0) % 8 <= 4 && /[0-9a-f][0-9a-f][0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]\.[0-7]/) {
            sub(/^[0-9]+ /, ""); print
        }' | { if [ -s $expected_log ]; then grep -Evf $expected_log; else cat; fi; }
}

check_kernel_log() {
    local complaints
    complaints=$(kernel_complaints)
    if [ -z "$complaints" ]; then
        pass "the kernel's log has no warning, trace or hang"
    else
        fail "the kernel's log has no warning, trace or hang" "$complaints"
        dmesg
    fi
}
