# 200 random programs: what adjoint() writes gives the gradients of the sweep to 1e-12, and differentiated again the
# second derivatives. The same for every example that sweeps.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Programs over a matrix, a vector and a number, with branches and loops; of one process each 20.
cat >"$dir/make.adl" <<'ADL'
seed(parse_number(args[0]))
dir = args[1]
pick = xs -> xs[randint(len(xs))]
fn program(k) {
    m = ("x", "x"); v = ("w", "w"); s = ("b", "b")
    lines = ()
    for i in range(4 + randint(8)) {
        a = pick(m); b = pick(m); c = pick(v); d = pick(v); n = pick(s)
        r = randint(32)
        kind = if r < 14 { "m" } else if r < 25 { "v" } else { "s" }
        text = (f"{a} * {b}", f"{a} + {c}", f"{a} @ {b} / 3", f"tanh({a})", f"{a} / (2 + {b}^2)", f"sigmoid({a}) - {n}", f"{a}'",
                f"where({a} > 0.3, {a} * 2, sqrt(abs({b}) + 1))", f"maximum({a}, {b})", f"softmax({a}, axis = 1)", f"cumsum({a}, axis = 0)",
                f"exp(-{a}^2)", f"reshape(concat(({c}, {d}, {c} * {n})), 3, 3)", f"stack(({c}, {d}, {c} + {d}))",
                f"{a}[1]", f"{a}[:, 2] * {c}", f"{a} @ {c}", f"sum({a}, axis = 0)", f"mean({a}, axis = 1)", f"max({a}, axis = 1)", f"sort({c})",
                f"{c}[[2, 0, 0]]", f"{c}[::-1] - {d}", f"log({c}^2 + 1)", f"relu({c}) + minimum({c}, {d})",
                f"sum({a} * {b})", f"norm({c})", f"logsumexp({c})", f"{c} @ {d}", f"{n} * sin({n})", f"mean({a})^3 - {n}", f"std({c} + {d})")[r]
        name = f"{kind}{i}"
        lines = append(lines, f"    {name} = {text}")
        if r == 14 { lines = append(lines, f"    {name}[0] = {n} * 2") }
        if r == 25 { lines = append(lines, f"    for j in range(3) \{\{ {name} = {name} * 0.5 + sin({name}) \}\}") }
        if kind == "m" { m = append(m, name) } else if kind == "v" { v = append(v, name) } else { s = append(s, name) }
    }
    lines = append(lines, f"    sum({m[-1]} * {m[-2]}) + sum({v[-1]}) * {s[-1]} + sum({v[-2]} * x[0]) + {s[-2]} + b * sum(w)")
    f"fn f{k}(x, w, b) \{\{\n{join(lines, "\n")}\n\}\}\n"
}
check = k -> f"""x = attach_grad(randn(3, 3)); w = attach_grad(randn(3)); b = attach_grad(randn())
record < y = f{k}(x, w, b) >
backward(y)
write_text("{dir}/p{k}.adl", adjoint(y, function = "d", show = false))
import "{dir}/p{k}.adl" as p
near = (a, b) -> all(abs(a - b) <= 1e-12 * (1 + abs(b)))
if not (near(p.y, y) and near(p.x_bar, x.grad) and near(p.w_bar, w.grad) and near(p.b_bar, b.grad)) \{\{ print("program {k}: other gradients") \}\}
twice = grad(z -> sum(grad(f{k})(z, w, b)))(detach(x))
again = grad(z -> sum(p.d(z, detach(w), detach(b))[1]))(detach(x))
if not all(abs(twice - again) <= 1e-8 * (1 + abs(twice))) \{\{ print("program {k}: other second derivatives") \}\}
"""
text = "seed(1)\n"
for k in range(20) { text = text + program(k) + check(k) }
write_text(f"{dir}/all.adl", text)
ADL
sed -i 's/\\{\\{/{{/g; s/\\}\\}/}}/g' "$dir/make.adl"
for seed in 1 2 3 4 5 6 7 8 9 10; do
    "$adl" "$dir/make.adl" $seed "$dir" && "$adl" "$dir/all.adl" || { echo "seed $seed"; [ -z "$KEEP" ] || cp "$dir/all.adl" "$KEEP"; }
done

for example in examples/*.adl; do
    name=$(basename "$example" .adl)
    head=$(sed -n 's/^ *backward(\([a-z_]*\).*/\1/p' "$example" | head -n 1)
    if [ -z "$head" ] || grep -q 'import mpi' "$example"; then continue; fi
    # Up to the first sweep, then the program and the gradients that it must have.
    sed "/^ *backward($head/{s|\$|; write_text(\"$dir/e.adl\", adjoint($head, show = false)); write_json(\"$dir/e.json\", map(row -> (replace(replace(replace(replace(row.name, \"].\", \"_\"), \"[\", \"_\"), \"]\", \"\"), \".\", \"_\"), row.adjoint), filter(row -> row.step == 0, tape($head, show = false)))); exit()|}" "$example" >"$dir/$name.adl"
    cp -r examples/data "$dir" 2>/dev/null
    "$adl" "$dir/$name.adl" >/dev/null || { echo "$name did not run"; continue; }
    cat >"$dir/compare.adl" <<ADL
import "$dir/e.adl" as e
for (name, g) in read_json("$dir/e.json") {
    if not all(abs(e[f"{name}_bar"] - g) <= 1e-12 * (1 + abs(g))) { print(f"$name: another gradient of {name}") }
}
ADL
    "$adl" "$dir/compare.adl"
done
