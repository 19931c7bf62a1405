from peer import took, say
import jax
import jax.numpy as np
n = 10_000_000
def ready(f):
    g = jax.jit(f)
    return lambda *v: jax.block_until_ready(g(*v))
add, exp, tanh = ready(lambda a, b: a + b), ready(np.exp), ready(np.tanh)
total, softmax = ready(np.sum), ready(jax.nn.softmax)
expression = ready(lambda a, b, c, d: a * b + c * np.exp(-d))
swept = ready(jax.value_and_grad(lambda v: np.sum(v[0] * v[1] + v[2] * np.exp(-v[3]))))
for dtype, kind in (("f64", np.float64), ("f32", np.float32)):
    a, b, c, d = (jax.random.uniform(jax.random.key(i), (n,), kind) + kind(.1) for i in range(4))
    say("add_" + dtype, took(lambda: add(a, b)), n)
    say("exp_" + dtype, took(lambda: exp(a)), n)
    say("tanh_" + dtype, took(lambda: tanh(a)), n)
    say("sum_" + dtype, took(lambda: total(a)), n)
    say("softmax_" + dtype, took(lambda: softmax(a)), n)
    say("expression_" + dtype, took(lambda: expression(a, b, c, d)), n)
    say("swept_" + dtype, took(lambda: swept((a, b, c, d))), n)
