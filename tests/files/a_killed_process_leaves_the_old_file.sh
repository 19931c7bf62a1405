# kill -9 again and again while a file is replaced, until one was hit in the middle of a write (what it had written
# beside the old file is still there then): the file is a whole one each time.
out=$(mktemp -d)
one=0 hit=
"$adl" -e "save(\"$out/x.npy\", zeros(1000000))"
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    "$adl" -e "x = zeros(1000000); while true { x = x + 1; save(\"$out/x.npy\", x) }" & pid=$!
    sleep 0.0$((2 + try % 8))
    kill -9 $pid; wait $pid 2>/dev/null
    "$adl" -e "x = load(\"$out/x.npy\"); assert(size(x) == 1000000 and all(x == x[0]), \"half of it is another\")"
    if ls "$out"/x.npy.* >/dev/null 2>&1; then hit=yes; [ $try -ge 5 ] && break; fi
done
[ -n "$hit" ] || echo "no kill hit a write"
rm -r "$out"
