# NaN, infinities, denormals, signed zeros; views from odd places and backwards; with the kernels of each level, alone
# and fused. Those with fused multiply-add (v3, v4) give the same numbers, bit for bit.
best=$("$adl" tests/array/lib/special.adl 2>&1)
case $best in *copy* | *error*) echo "$best" | grep 'copy\|error';; esac
for level in v2 v3; do
    for from in 1 1000; do
        text=$(ADL_KERNELS=$level ADL_FUSE_FROM=$from "$adl" tests/array/lib/special.adl 2>&1)
        case $text in *copy* | *error*) echo "$text" | grep 'copy\|error';; esac
        [ $level = v2 ] || [ "$text" = "$best" ] || echo "$level, fused from $from: other numbers than the best kernels'"
    done
done
# on a processor below v3 the kernels of v3 are those of v2: nothing to compare
for level in v3 v4; do ADL_KERNELS=$level "$adl" --threads 2 tests/array/lib/threads.adl; done | sort | uniq -c |
    awk '$1 % 2 { print "v3 and v4 differ:", $0 }'
for level in v2 v3; do ADL_KERNELS=$level "$adl" test tests/array | grep -v ' 0 failed'; done
true
