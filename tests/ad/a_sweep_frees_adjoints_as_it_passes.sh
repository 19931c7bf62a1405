# A chain of a hundred operations on 0.8 MB: the tape holds their values, and the sweep adds few more, not as many.
out=$($adl --threads 1 --memory 190M -e '
    x = attach_grad(ones(1e5))
    record < y = x; for i in range(100) { y = cumsum(y) / 1e5 }; s = sum(y) >
    backward(s)
    print(size(x.grad))' 2>&1)
[ "$out" = 100000 ] || { echo "$out"; exit 1; }
