from peer import took, say as said
import torch
torch.set_num_threads(1)
F = torch.nn.functional
for shape in ((1000, 1000), (100_000, 10)):
    n = shape[0] * shape[1]
    size = f"{shape[0]}x{shape[1]}"
    x, w, y = (torch.randn(shape) for _ in range(3))
    labels = torch.randint(0, shape[1], (shape[0],))
    model = x.clone().requires_grad_()
    def say(name, step):
        with torch.no_grad():
            said(f"{name}_{size}", took(step, .2), n)
    def swept(name, f):
        def step():
            model.grad = None
            with torch.enable_grad():
                r = f(model)
                r.backward() if r.ndim == 0 else r.backward(w)
        say(name + "_swept", step)
    norm = lambda x: F.layer_norm(x, shape[1:])
    say("softmax", lambda: F.softmax(x, -1))
    say("log_softmax", lambda: F.log_softmax(x, -1))
    say("logsumexp", lambda: torch.logsumexp(x, -1))
    say("layer_norm", lambda: norm(x))
    say("cross_entropy", lambda: F.cross_entropy(x, labels))
    say("softmax_0", lambda: F.softmax(x, 0))
    say("log_softmax_0", lambda: F.log_softmax(x, 0))
    say("logsumexp_0", lambda: torch.logsumexp(x, 0))
    swept("softmax", lambda x: F.softmax(x, -1))
    swept("log_softmax", lambda x: F.log_softmax(x, -1))
    swept("layer_norm", norm)
    swept("cross_entropy", lambda x: F.cross_entropy(x, labels))
    swept("softmax_0", lambda x: F.softmax(x, 0))
    say("mean_of_squares", lambda: ((x - y) ** 2).mean())
    swept("mean_of_squares", lambda x: ((x - y) ** 2).mean())
    say("sum_of_exp_1", lambda: torch.exp(x).sum(1))
    say("sum_of_exp_0", lambda: torch.exp(x).sum(0))
    say("mean_1", lambda: (x * y).mean(1))
    say("mean_0", lambda: (x * y).mean(0))
    say("max_1", lambda: (x * y).amax(1))
    say("max_0", lambda: (x * y).amax(0))
    say("sum_1", lambda: x.sum(1))
    say("sum_0", lambda: x.sum(0))
    say("var_0", lambda: x.var(0, correction=0))
    say("cumsum", lambda: x.cumsum(-1))
    say("sort", lambda: x.sort(-1)[0])
    say("modulo", lambda: x % 3)
