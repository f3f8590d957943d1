# The memory of a virtual device, as its server has it: a file without a name, which the guest has mapped as well.
# Sourced by scenarios; needs machine.bash.
# shellcheck shell=bash disable=SC2154

# process_of CARD: its server's folder in /proc, which is the machine's, and has other numbers for a scenario's processes.
process_of() {
    local here folder
    here=$(readlink /proc/self/ns/pid)
    for folder in /proc/[0-9]*; do
        [[ $(readlink "$folder/ns/pid" 2> /dev/null) == "$here" ]] || continue
        [[ $(awk '$1 == "NSpid:" { print $NF }' "$folder/status" 2> /dev/null) == "${server_of[$1]}" ]] || continue
        echo "$folder"
        return
    done
    echo "the server of $1 is gone"
    return 1
}

# memory_file CARD: that file, by way of the server's descriptors.
memory_file() {
    local folder descriptor
    folder=$(process_of "$1") || { echo "$folder"; return 1; }
    for descriptor in "$folder/fd"/*; do
        case $(readlink "$descriptor") in
            /memfd:gracehopper*) echo "$descriptor"; return ;;
        esac
    done
    echo "no memory among the descriptors of $folder"
    return 1
}

# load OFFSET: eight bytes of the only card's memory, as a number.
answer_load() {
    local file
    file=$(memory_file gpu) || { echo "$file"; return 1; }
    od -A n -t x8 -j "$(($1))" -N 8 "$file" | tr -d ' '
}

# store OFFSET DIGITS: the reverse; 16 hexadecimal digits.
answer_store() {
    local file bytes='' place
    file=$(memory_file gpu) || { echo "$file"; return 1; }
    for place in 14 12 10 8 6 4 2 0; do bytes+="\\x${2:place:2}"; done
    # shellcheck disable=SC2059 # the bytes
    printf "$bytes" | dd of="$file" oflag=seek_bytes seek="$(($1))" conv=notrunc status=none
}

# resident CARD: kilobytes of the server that are in the machine's memory.
answer_resident() { awk '$1 == "VmRSS:" { print $2 }' "$(process_of "$1")/status"; }

# used CARD: kilobytes of the device's memory that anyone has touched.
answer_used() { echo $(($(stat -L -c %b "$(memory_file "$1")") / 2)); }

# counted WORDS: how often the server of the only card, with --trace, has counted this, e.g. "resets". Its log has what was
# added since the line before.
answer_counted() {
    grep -oE "[0-9]+ $*(,|\$)" "$keep/server-gpu.log" | awk '{ sum += $1 } END { print sum + 0 }'
}
