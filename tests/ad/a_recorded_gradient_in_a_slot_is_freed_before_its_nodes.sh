. tests/lib.sh
# A gradient that is itself recorded, still in its slot at the end of the program, goes before the nodes it names.
wants 0 '(32, 0)' -e 'x = attach_grad(2)
fn inside(a) {
    w = attach_grad(a)
    record < for k in range(100000) { a = a * 1.0 }; l = w ^ 3 * a >
    backward(l)
    detach(grad(w))
}
print(jvp(inside, 2, 1))'
