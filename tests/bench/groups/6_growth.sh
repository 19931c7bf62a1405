# Time and memory against the size: the same for all, if both are linear.
for steps in 1e3 1e4 1e5 1e6 1e7; do
    value turns_$steps "$steps turns of the recorded loop, swept, ns an operation" 'the same for all' \
        adl="$(for round in 1 2 3; do $adl recorded.adl $steps; done | sed -n 's/^recorded //p' | median)"
done
for n in 1e3 1e4 1e5 1e6 1e7 1e8; do
    value elements_$n "sum of \`a * b + c * exp(-d)\` recorded and swept, $n elements, ns an element" 'the same for all' \
        adl="$($adl growth.adl $n)"
    value bytes_$n "and bytes resident an element" 'the same for all' \
        adl="$(took 1 $adl growth.adl $n | awk -v n=$n '{ printf "%.4g", $2 * 1024 / n }')"
done
