# Products, expressions, sums, softmax and a sweep, bit by bit; and what --threads takes.
. tests/lib.sh
one=$("$adl" --threads 1 tests/array/lib/threads.adl)
for n in 2 3 1000; do
    [ "$("$adl" --threads $n tests/array/lib/threads.adl)" = "$one" ] || echo "--threads $n gives other numbers"
done
wants 2 '--threads takes 1 to 1024, not "0"' --threads 0
wants 2 '--threads takes 1 to 1024, not "-1"' --threads -1
wants 2 '--threads takes 1 to 1024, not "many"' --threads many
