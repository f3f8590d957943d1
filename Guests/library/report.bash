# Turns the lines of scenarios into numbered lines of a TAP report. Sourced by run.
# shellcheck shell=bash disable=SC2154

# report SECONDS: reads "KERNEL<tab>SCENARIO<tab>KIND<tab>NAME<tab>REASON", for so many seconds at most; prints the report;
# ends with 0 if something passed and nothing failed, 77 if all was skipped.
report() {
    local limit=$1
    local which scenario kind name reason number=0 passed=0 failed=0 skipped=0 title complete=''
    declare -A version=() checks=()
    while ((SECONDS < limit)) && IFS=$'\t' read -r -t $((limit - SECONDS)) which scenario kind name reason; do
        if [[ $kind == complete ]]; then
            complete=1
            break
        fi
        [[ ${version[$which]-} ]] || version[$which]=$(sed 's/[+-].*//' "$cache/kernel-$which/version")
        title="$suite ${version[$which]} $scenario"
        case $kind in
            note) echo "# $title: $name${reason:+ $reason}"; continue ;;
            end)
                [[ ! ${checks[$title]-} ]] || continue
                kind="not ok" name="checks something" reason="it printed no check line"
                ;;
        esac
        number=$((number + 1))
        checks[$title]=1
        case $kind in
            ok)
                passed=$((passed + 1))
                echo "ok $number - $title: $name"
                ;;
            skip)
                skipped=$((skipped + 1))
                echo "ok $number - $title: $name # SKIP $reason"
                ;;
            "not ok")
                failed=$((failed + 1))
                echo "not ok $number - $title: $name"
                echo "# $reason"
                ;;
            *)
                failed=$((failed + 1))
                echo "not ok $number - $title: prints lines of the report only"
                echo "# $kind $name $reason"
                ;;
        esac
    done
    if [[ ! $complete ]]; then
        number=$((number + 1))
        failed=$((failed + 1))
        echo "not ok $number - $suite: the run came to its end"
        ((SECONDS < limit)) || echo "# its $limit seconds were over"
    fi
    echo "1..$number"
    echo "$passed passed, $failed failed, $skipped skipped"
    ((failed == 0)) || return 1
    ((passed > 0)) || return 77
}
