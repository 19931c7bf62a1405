# One, two and four ranks end with the weights of a single process on the whole batch, to 1e-9. A rank that fails
# ends the job.
. tests/lib.sh
command -v mpirun >/dev/null || { echo "there is no mpirun"; exit 77; }
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
ranks() { timeout 60 mpirun --allow-run-as-root --oversubscribe -n "$@"; }
export OMPI_MCA_btl_vader_single_copy_mechanism=none
export ASAN_OPTIONS=detect_leaks=0      # a sanitized build would report what Open MPI keeps to itself

WEIGHTS=$scratch/alone.json "$adl" examples/data_parallel.adl >"$scratch/alone.out" || echo "alone: status $?"
for n in 1 2 4; do
    export WEIGHTS="$scratch/$n.json"
    ranks $n "$adl" examples/data_parallel.adl >"$scratch/$n.out" 2>&1 || echo "$n ranks: status $?"
    cmp -s "$scratch/alone.out" "$scratch/$n.out" || { echo "$n ranks print something else:"; cat "$scratch/$n.out"; }
    wants 0 true -p "
        fn weights(path) { w = read_json(path); concat((flatten(w.hidden), w.bias, w.out)) }
        max(abs(weights(\"$scratch/alone.json\") - weights(\"$WEIGHTS\"))) < 1e-9"
done

cat >"$scratch/collectives.adl" <<'END'
import mpi
me, all = mpi.rank(), mpi.size()
ranks = range(all)
assert(equal(mpi.allreduce((me, [1, 2 * me])), (sum(ranks), [all, 2 * sum(ranks)])))
assert(mpi.allreduce(me, "max") == all - 1 and mpi.allreduce(me, "min") == 0 and mpi.allreduce(me, "mean") == (all - 1) / 2)
assert(mpi.broadcast(10 + me, root = all - 1) == 9 + all)
assert(equal(mpi.gather([me, 1])[:, 0], ranks))
assert(equal(len(mpi.share(range(10))), (10 - me + all - 1) // all))
# The gradient by this rank's x of the sum over ranks of (rank + 1) y.
x = attach_grad(1 + me)
fn by_x(f) { record < y = (me + 1) * f(x) >; backward(y); x.grad }
total = sum(ranks + 1)
assert(by_x(x -> mpi.allreduce(x^2)) == total * 2 * x)
assert(by_x(x -> mpi.allreduce(x, "max")) == if me == all - 1 { total } else { 0 })
assert(by_x(x -> mpi.broadcast(x, root = 0)) == if me == 0 { total } else { 0 })
assert(by_x(x -> sum(mpi.gather(x) * [1, 10])) == total * 10^me)
assert(grad(grad(x -> mpi.allreduce(x^3)))(1 + me) == 6 * (1 + me) * all)
assert(jvp(x -> mpi.allreduce(x^2), x, 1)[1] == sum(2 * (ranks + 1)))
mpi.barrier()
if me == 0 { print("all well") }
END
[ "$(ranks 2 "$adl" "$scratch/collectives.adl" 2>&1)" = "all well" ] || ranks 2 "$adl" "$scratch/collectives.adl" 2>&1 | head -20

echo 'import mpi; if mpi.rank() == 1 { error("rank 1 is broken") }; mpi.barrier()' >"$scratch/broken.adl"
ranks 2 "$adl" "$scratch/broken.adl" >"$scratch/out" 2>&1 && echo "a broken rank went unseen"
grep -q "rank 1 is broken" "$scratch/out" || cat "$scratch/out"
