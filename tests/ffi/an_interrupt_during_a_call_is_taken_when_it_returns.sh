. tests/lib.sh
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# interrupted CODE: runs it, sends SIGINT once it has printed "ready", and wants the interrupt to end it.
interrupted() {
    : >"$scratch/out"
    "$adl" -e "$1" >"$scratch/out" 2>&1 &
    program=$!
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        grep -q ready "$scratch/out" && break
        sleep .1
    done
    kill -INT $program
    wait $program; status=$?
    [ $status -eq 130 ] || { echo "status $status, not 130"; cat "$scratch/out"; }
    if grep -q "went on" "$scratch/out"; then echo "the statement behind the call ran"; fi
}
# In C, waiting; and in a callback that never ends.
interrupted 'extern { fn poll(files: void*, count: uint64, milliseconds: int): int; fn fflush(file: void*): int }
print("ready"); fflush(nil)
poll(nil, 0, 10000)
print("went on")'
interrupted 'extern { fn qsort(x: inout double[n], n: size_t, size: size_t, compare: fn(double*, double*): int); fn fflush(file: void*): int }
print("ready"); fflush(nil)
qsort([2, 1], 2, 8, (a, b) -> { while true { a = b }; 0 })
print("went on")'
