#!/bin/dash
# Compares two runs of nvgrace-trial's table, line by line. Read by the scripts beside it.

# compare LINUX OURS DIFFERENCES KERNEL: a line for each thing that there is to say, tab-separated: "agree COUNT";
# "defect NAME COUNT": so many rows differ as DIFFERENCES says they must; "wrong ROW WHAT". A row of DIFFERENCES: kernel (* for
# any), defect, row, Linux's answer, ours; one whose kernel is another's does not count.
compare() {
    awk -F '\t' -v OFS='\t' -v kernel="$4" '
        FILENAME == ARGV[1] && /^#|^$/ { next }
        FILENAME == ARGV[1] {
            if ($1 != "*" && $1 != kernel) next
            if ($3 in defect) print "wrong", $3, "listed twice"
            defect[$3] = $2; theirs[$3] = $4; ours[$3] = $5
            next
        }
        FILENAME == ARGV[2] { linux[$1] = $2; from_linux++; next }
        {
            from_us++
            if (!($1 in linux)) { print "wrong", $1, "Linux did not answer"; next }
            if (!($1 in defect)) {
                if (linux[$1] == $2) agreed++
                else print "wrong", $1, "Linux: " linux[$1] "; ours: " $2
                next
            }
            seen[$1] = 1
            if (linux[$1] != theirs[$1]) print "wrong", $1, defect[$1] ": Linux: " linux[$1] ", not " theirs[$1]
            else if ($2 != ours[$1]) print "wrong", $1, defect[$1] ": ours: " $2 ", not " ours[$1]
            else differ[defect[$1]]++
        }
        END {
            if (from_linux != from_us) print "wrong", "rows", from_linux " of Linux, " from_us " of ours"
            for (row in defect) if (!(row in seen)) print "wrong", row, defect[row] ": listed, and no row of the table"
            for (row in theirs) if (theirs[row] == ours[row]) print "wrong", row, "listed, with equal answers"
            for (name in differ) print "defect", name, differ[name]
            print "agree", agreed + 0
        }' "$3" "$1" "$2"
}
