# 200 random programs: what adjoint() writes gives the gradients of the sweep to 1e-12, and differentiated again the
# second derivatives. The same for each sweep of the examples and lessons, and for the functions that examples
# differentiate without a sweep.
export ASAN_OPTIONS=detect_leaks=0      # a sanitized build would report what Open MPI keeps to itself
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

# What adjoint() says of the head, and the gradients that the program must have, by the name of the leaf in it.
notes() {    # notes HEAD
    echo "write_text(\"$dir/e.adl\", adjoint($1, function = \"d\", show = false))"
    echo "write_json(\"$dir/e.json\", map(row -> (join(split(replace(replace(row.name, \"].\", \"_\"), \"]\", \"\"), \"[\"), \"_\"), row.adjoint), filter(row -> row.step == 0, tape($1, show = false))))"
}
# The gradients are the same, and what the program computes can be differentiated again: its derivatives are those of
# differences.
compare() {  # compare WHAT
    cat >"$dir/compare.adl" <<ADL
import "$dir/e.adl" as e
finite = true
rows = read_json("$dir/e.json").map(row -> (replace(row[0], ".", "_"), row[1]))
for (name, g) in rows {
    if type(g) == "list" or type(g) == "nil" { finite = false; continue }       # JSON has no NaN
    if not all(abs(e[f"{name}_bar"] - g) <= 1e-12 * (1 + abs(g))) { print(f"$1: another gradient of {name}") }
}
leaves = rows.map(row -> e[row[0]])
if not finite { exit() }
weights = g -> sin(1 + array(range(size(g))))
slopes = xs -> { g = pack(e.d(*xs)[1:]); sum(g * weights(g)) }
way = leaves.map(x -> cos(ones(*x.shape) * 3))
step = (h) -> slopes(map((x, v) -> x + h * v, leaves, way))
near = (step(1e-5) - step(-1e-5)) / 2e-5
exact = sum(pack(grad(slopes)(leaves)) * pack(way))
if not abs(exact - near) <= 1e-5 * (1 + abs(exact)) { print(f"$1: the program differentiated gives {exact}, differences {near}") }
ADL
    "$adl" "$dir/compare.adl"
}
cp -r examples/data "$dir" 2>/dev/null
# Examples and lessons up to each of their sweeps.
for example in examples/*.adl examples/learn/*.adl; do
    for line in $(grep -n '^ *backward(' "$example" | cut -d: -f1); do
        head=$(sed -n "${line}s/^ *backward(\([a-z_]*\).*/\1/p" "$example")
        { sed "${line}q" "$example"; notes "$head"; echo 'exit()'
          sed "1,${line}d" "$example"; } >"$dir/x.adl"
        timeout 20 "$adl" "$dir/x.adl" >/dev/null </dev/null 2>"$dir/said" ||
            { grep -q 'cannot load' "$dir/said" || { echo "$example:$line did not run"; cat "$dir/said"; }; continue; }
        compare "$example:$line"
    done
done
# Examples that differentiate functions: the function recorded at a point, against grad(function) there.
function() { # function EXAMPLE LAST_LINE FUNCTION POINT
    { sed "/$2/q" "examples/$1.adl" | sed '$d'
      echo "f = $3; point = $4; p = attach_grad(point)"
      echo 'record < y = f(p) >; backward(y)'
      echo 'if not max(abs(pack(grad(f)(point)) - pack(grad(p)))) <= 1e-12 * (1 + max(abs(pack(grad(p))))) { print("another gradient of the function") }'
      notes y; } >"$dir/x.adl"
    "$adl" "$dir/x.adl" >"$dir/said" 2>&1 || { echo "$1 did not run"; cat "$dir/said"; return; }
    grep 'another' "$dir/said"
    compare "$1"
}
function likelihood '^found' cost '[.3, .2]'
function logistic_regression '^step_of' loss '{w: [.5, -1], b: .25}'
function neural_ode '^print' distance network
function newton '^print' 'a -> newton(x -> x^2 - a, 1)' 2
function newton '^print' 'x -> x^4 - 3 * x^3 + 2' 3
function rosenbrock '^start' f '[-1.2, 1]'
