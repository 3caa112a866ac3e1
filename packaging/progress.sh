#!/usr/bin/env bash
# Shows how far a build is: reads what ninja prints on standard input, and says on standard error the share that is done
# and about how long the rest takes; on a terminal in one line, elsewhere a line at each tenth. What ninja prints besides
# ("FAILED: ...") goes to standard output. NINJA_STATUS must be as it is by default.
#
#   cmake --build build/release | packaging/progress.sh "building Tandem"
set -euo pipefail

what=$1
begin=$SECONDS first= shown=-1
line_end='\n' line_begin=
[ -t 2 ] && line_end= line_begin='\r\033[K'

about() {  # about SECONDS
    if [ "$1" -ge 90 ]; then printf 'about %d min' $((($1 + 30) / 60)); else printf 'about %d s' "$1"; fi
}

while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\  ]]; then
        done_=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
        [ -n "$first" ] || first=$((done_ - 1))
        percent=$((100 * done_ / all)) spent=$((SECONDS - begin))
        step=$percent
        [ -n "$line_begin" ] || step=$((percent / 10))
        { [ "$step" = "$shown" ] || [ "$all" -lt 5 ]; } && continue
        shown=$step
        left=
        # The first seconds say too little of the rate; a rest that is nearly done needs no word.
        [ "$spent" -ge 5 ] && [ "$done_" -gt "$first" ] && [ "$percent" -lt 100 ] &&
            left=", $(about $((spent * (all - done_) / (done_ - first)))) left"
        printf "$line_begin%s: %d %%%s$line_end" "$what" "$percent" "$left" >&2
    elif [ "$line" != "ninja: no work to do." ]; then
        printf '%s\n' "$line"
    fi
done
[ -z "$line_begin" ] || [ "$shown" = -1 ] || printf '\r\033[K' >&2
