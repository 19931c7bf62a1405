# The thread pool: one thread and as many as there are cores, in turns; then the same with a busy program on each core.
many=$cores
[ "$many" -le 4 ] || many=4

# threads_turns TIMES [PREFIX]: turns of adl and PyTorch with one thread and with many.
threads_turns() {
    round=0
    while [ $round -lt "$1" ]; do
        for threads in 1 "$many"; do
            progress "$group: round $((round + 1)) of $1, $threads threads"
            ran "$scratch/out" $all_cores "$build/adl" --threads "$threads" threads.adl "$threads" $2
            cat "$scratch/out" >>"$scratch/adl"
            [ -n "$torch" ] || continue
            ran "$scratch/out" $all_cores "$torch" threads.torch.py "$threads" $2
            cat "$scratch/out" >>"$scratch/torch"
        done
        round=$((round + 1))
    done
}

# threads_rows NAME TITLE: the row with one thread, and that with many.
threads_rows() { for threads in 1 "$many"; do row "$1_$threads" "$2" "$threads"; done; }

if [ "$many" -gt 1 ]; then
    for peer in $peers; do : >"$scratch/$peer"; done
    threads_turns "$rounds"
    threads_rows expression '`a * b + c * exp(-d)`, 10⁷'
    threads_rows swept 'its sum recorded and swept'
    threads_rows exp '`exp(a)`, 10⁷'
    threads_rows sum '`sum(a)`, 10⁷'
    threads_rows sum_of_exp '`sum(exp(a))`, 10⁷'
    threads_rows softmax '`softmax(a)`, 10⁷'
    threads_rows product '`m @ m`, 1024 by 1024'
    threads_rows sort '`sort(m)`, 1000 by 1000, f32'
    threads_rows draws '`randn(1e6)`'
    threads_rows convolution 'conv2d 3 × 3 with its sweep, as above, f32'
    threads_rows network 'one step of the network above, f32'
    each=0
    while [ $each -lt "$cores" ]; do
        $all_cores sh -c 'while :; do :; done' & neighbours="$neighbours $!"
        each=$((each + 1))
    done
    threads_turns 1 _busy
    kill $neighbours
    neighbours=
    threads_rows expression_busy '`a * b + c * exp(-d)`, with a busy program for each core'
    threads_rows product_busy '`m @ m`, with a busy program for each core'
else echo "one core: no rows on threads" >&2
fi
