from peer import took, say
import numpy as np
n = 10_000_000
for dtype, letter in (("f64", "f8"), ("f32", "f4")):
    a, b, c, d = ((np.random.rand(n) + .1).astype(letter) for _ in range(4))
    def softmax():
        e = np.exp(a - a.max())
        e /= e.sum()
        return e
    say("add_" + dtype, took(lambda: a + b), n)
    say("exp_" + dtype, took(lambda: np.exp(a)), n)
    say("tanh_" + dtype, took(lambda: np.tanh(a)), n)
    say("sum_" + dtype, took(lambda: a.sum()), n)
    say("softmax_" + dtype, took(softmax), n)
    say("expression_" + dtype, took(lambda: a * b + c * np.exp(-d)), n)
try:
    import autograd
    import autograd.numpy as anp
    for dtype, letter in (("f64", "f8"), ("f32", "f4")):
        v = tuple((np.random.rand(n) + .1).astype(letter) for _ in range(4))
        step = autograd.grad(lambda v: anp.sum(v[0] * v[1] + v[2] * anp.exp(-v[3])))
        say("swept_" + dtype, took(lambda: step(v)), n)
except ImportError:
    pass
