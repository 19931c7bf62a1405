# The expression is adl text: it is run beside grad(f) at several points.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
for f in 'x^3 - 2 * x' 'sin(x)^2 * exp(-x)' '1 / (1 + exp(-x))' '(x + sin(x)^2) * x' 'sqrt(x^2 + 1) / x' 'x^x' 'log(x) / x' \
    'abs(x) + relu(x - 1) + maximum(x, 2) * x' '(2 * x + 1)^5 / (x - 7)^2' 'erf(x) + atan(x) * asinh(x)' '2^x * x^-3' 'atan2(x, 3 + x)' \
    'hypot(x, 2 * x) + xlogy(x, x)' 'tanh(tanh(x)) - gelu(x)' 'silu(x) * softplus(x) + log_sigmoid(x)' 'lgamma(x + 1) + cbrt(x)' \
    '-(-x)^2 - 3 * (x - (x - 1) * (1 - x))' 'minimum(x^2, 3) + x % 2' 'exp(x) * exp(-x) + expm1(x) / log1p(x)' '1 / (1 / x)'; do
    cat >"$dir/a.adl" <<ADL
f = x -> $f
write_text("$dir/d.adl", f"d = {derive(f, show = false)}")
import "$dir/d.adl" as e
for x in [0.3, 0.7, 1.5, 2.5, 3.25] {
    a = e.d(x); b = grad(f)(x)
    if not (abs(a - b) <= 1e-10 * (1 + abs(b))) { print("$f at", x, a, b, derive(f, show = false)) }
}
ADL
    "$adl" "$dir/a.adl"
done
