# A program that does not mention a view by name keeps nothing for it; a module that looks comes too late.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.adl" <<'EOF'
views = {tape: tape, explain: explain, adjoint: adjoint, step: step, quiz: quiz, profile: profile, why: why, graph: graph}
EOF
cat >"$folder/main.adl" <<'EOF'
import optim
w = attach_grad([1, 2])
record < loss = sum(exp(w)) >
opt = optim.sgd(lr = .1)
backward(loss)
w, opt = optim.step(opt, w)
import "look.adl"
for name in ("explain", "adjoint", "step", "quiz", "profile") {
    try { look.views[name](loss); print(name, "said nothing") } catch e { print(e.message) }
}
look.views["tape"](loss)
look.views["why"](w)
look.views["why"](w, loss)
EOF
cd "$folder" && "$adl" main.adl </dev/null >said 2>&1
for view in explain adjoint step quiz profile; do
    grep -qxF "$view: the sweep on line 5 has released values that lead to loss" said || echo "$view does not say so"
done
grep -qF 'adjoints: lost, the sweep of line 5 has released values' said || echo 'tape does not say so'
grep -qF 'why grad(w) cannot be told without a head' said || echo 'why does not ask for a head'
grep -qF 'the sweep on line 5 has released the values' said || echo 'why does not say so'
case $(sed -n 6,99p said) in *–*) ;; *) echo 'tape shows what is gone'; cat said ;; esac
