# Time and memory against the size: the same for all, if both are linear. Of memory only what is more than at the start.
# bytes_each COUNT COMMAND ...: resident bytes above those of the smallest run, for each of COUNT
bytes_each() {
    n=$1
    shift
    took 1 "$@" | awk -v least="$least" -v n="$n" '{ printf "%.4g", ($2 - least) * 1024 / n }'
}
least=$(took 3 $adl tape.adl 1 | column 2)
for steps in 1e3 1e4 1e5 1e6 1e7; do
    progress "$group: $steps steps"
    value step_time_$steps "$steps turns of the recorded loop, swept, ns an operation" 'the same for all' \
        adl="$(for round in 1 2 3; do $adl recorded.adl $steps; done | sed -n 's/^recorded //p' | median)"
done
for steps in 1e4 1e5 1e6 1e7; do
    value step_bytes_$steps "$steps recorded operations, bytes each" 'the same for all' \
        adl="$(bytes_each $steps $adl tape.adl $steps)"
done
least=$(took 3 $adl growth.adl 1 twice | column 2)
for n in 1e3 1e4 1e5 1e6 1e7 1e8; do
    progress "$group: $n elements"
    value element_time_$n "sum of \`a * b + c * exp(-d)\` recorded and swept, $n elements, ns an element" \
        'the same for all' adl="$($adl growth.adl $n)"
done
for n in 1e5 1e6 1e7 1e8; do
    value element_bytes_$n "and bytes resident an element" 'the same for all' \
        adl="$(bytes_each $n $adl growth.adl $n twice)"
done
