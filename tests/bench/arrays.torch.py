from peer import took, say
import torch
torch.set_num_threads(1)
n = 10_000_000
for dtype, kind in (("f64", torch.float64), ("f32", torch.float32)):
    a, b, c, d = (torch.rand(n, dtype=kind) + .1 for _ in range(4))
    with torch.no_grad():
        say("add_" + dtype, took(lambda: a + b), n)
        say("exp_" + dtype, took(lambda: torch.exp(a)), n)
        say("tanh_" + dtype, took(lambda: torch.tanh(a)), n)
        say("sum_" + dtype, took(lambda: a.sum()), n)
        say("softmax_" + dtype, took(lambda: torch.softmax(a, 0)), n)
        say("expression_" + dtype, took(lambda: a * b + c * torch.exp(-d)), n)
    v = [x.requires_grad_() for x in (a, b, c, d)]
    def step():
        for x in v: x.grad = None
        (a * b + c * torch.exp(-d)).sum().backward()
    say("swept_" + dtype, took(step), n)
