from peer import took, say as said
import numpy as np
for shape in ((1000, 1000), (100_000, 10)):
    n = shape[0] * shape[1]
    size = f"{shape[0]}x{shape[1]}"
    x, w, y = (np.random.randn(*shape).astype("f4") for _ in range(3))
    labels = np.random.randint(0, shape[1], shape[0])
    say = lambda name, step: said(f"{name}_{size}", took(step, .2), n)
    def softmax(axis):
        e = np.exp(x - x.max(axis, keepdims=True))
        e /= e.sum(axis, keepdims=True)
        return e
    def logsumexp(axis, keepdims=False):
        top = x.max(axis, keepdims=True)
        return np.log(np.exp(x - top).sum(axis, keepdims=keepdims)) + (top if keepdims else top.squeeze(axis))
    def layer_norm():
        d = x - x.mean(-1, keepdims=True)
        return d / np.sqrt(np.mean(d * d, -1, keepdims=True) + 1e-5)
    say("softmax", lambda: softmax(-1))
    say("log_softmax", lambda: x - logsumexp(-1, True))
    say("logsumexp", lambda: logsumexp(-1))
    say("layer_norm", layer_norm)
    say("cross_entropy", lambda: (logsumexp(-1) - x[np.arange(shape[0]), labels]).mean())
    say("softmax_0", lambda: softmax(0))
    say("log_softmax_0", lambda: x - logsumexp(0, True))
    say("logsumexp_0", lambda: logsumexp(0))
    say("mean_of_squares", lambda: ((x - y) ** 2).mean())
    say("sum_of_exp_1", lambda: np.exp(x).sum(1))
    say("sum_of_exp_0", lambda: np.exp(x).sum(0))
    say("mean_1", lambda: (x * y).mean(1))
    say("mean_0", lambda: (x * y).mean(0))
    say("max_1", lambda: (x * y).max(1))
    say("max_0", lambda: (x * y).max(0))
    say("sum_1", lambda: x.sum(1))
    say("sum_0", lambda: x.sum(0))
    say("var_0", lambda: x.var(0))
    say("cumsum", lambda: x.cumsum(-1))
    say("sort", lambda: np.sort(x))
    say("modulo", lambda: x % 3)
