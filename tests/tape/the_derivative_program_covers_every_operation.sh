. tests/lib.sh
# Rows that have no spelled rule become vjp of that one operation; the zero rule holds in the program, too.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cat >"$dir/a.adl" <<ADL
m = attach_grad([[4, 1, 0.5], [1, 3, 0.2], [0.5, 0.2, 5]])
z = attach_grad([0, 4])
n = attach_grad(f32([1, 2]))
fn kinds(m, z, n) {
    q, r = qr(m); e, v = eigh(m); sign, log_det = slogdet(m)
    c = conv2d(m, [[1, 0], [0, 1]]) ; p = max_pool(m, size = (2, 2), stride = (1, 1))
    k = m
    k[0, :] = [1, 2, 3]
    k[k > 4] = 0
    a = sum(abs(q)) + sum(r^2) + sum(e * [1, 2, 3]) + log_det + sum(c) + sum(p^2) + sum(k * m)
    b = sum(solve(m, m @ m)) + det(m) + sum(inv(m)) + sum(cholesky(m)) + sum(svd(m)[1]) + sum(pinv(m)) + prod(m[0])
    g = sum(take(m, [1, 1, 0], axis = 0)^2) + sum(cumprod(m, axis = 1)) + median(m) + sum(tile(m, (2, 1)) * 2) + sum(pad(m, 1)^2)
    d = sum(where(z > 0, sqrt(z), 0)) + norm(z) + sum(m[..., new, 1:] ^ 2) + sum(n * n) + sum(z ^ 2 / (1 + z))
    a + b + g + d + logsumexp(m) + sum(log_softmax(m, axis = 0)) + min(m) + sum(sort(m, axis = 0) * m) + std(m)
}
record < y = kinds(m, z, n) >
backward(y)
write_text("$dir/p.adl", adjoint(y, show = false))
import "$dir/p.adl" as p
near = (a, b) -> all(abs(a - b) <= 1e-11 * (1 + abs(b)))
print(near(p.y, y), near(p.m_bar, m.grad), near(p.z_bar, z.grad), near(p.n_bar, n.grad), p.n_bar.dtype)
ADL
wants 0 "true true true true f32" "$dir/a.adl"
cat >"$dir/b.adl" <<ADL
x = attach_grad(2)
half = custom_grad(x -> x / 2, (g, y, x) -> g / 2)
record < f = half(x * 3) >
adjoint(f)
ADL
wants 1 "adjoint: step #2 on line 3 has a rule of its own, which cannot be written as text" "$dir/b.adl"
wants 1 "has 6000 steps, and a straight-line program of more than 5000 is no reading" -e 'x = attach_grad(1)
record < for i in range(6000) { x = x * 1.001 } >
adjoint(x)'
wants 1 "no steps to look at: y was computed" -e 'y = 3
adjoint(y)'
