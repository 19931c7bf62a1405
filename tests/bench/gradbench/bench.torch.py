"""The GradBench problems in PyTorch, each written for whole arrays: the peer of bench.adl, at its sizes."""
import itertools
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from peer import took, say
import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
torch.manual_seed(31337)
seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.4


def rows(name, function, derivative):
    with torch.no_grad():
        say(name + ".function", took(function, seconds))
    say(name + ".derivative", took(derivative, seconds))


def gradient(f, *leaves):
    leaves = [x.detach().requires_grad_() for x in leaves]
    return torch.autograd.grad(f(*leaves), leaves)


# ---- gmm, as the suite writes it ----
def gmm(d, k, n):
    x, alpha, mu, q, l = torch.randn(n, d), torch.randn(k), torch.rand(k, d), torch.randn(k, d), torch.randn(k, d * (d - 1) // 2)
    below = torch.triu_indices(d, d, 1)      # column by column of the lower triangle

    def likelihood(alpha, mu, q, l):
        roots = torch.diag_embed(torch.exp(q))
        roots[:, below[1], below[0]] = l
        apart = torch.einsum("ijk,mik->mij", roots, x[:, None] - mu)
        beta = alpha + q.sum(1) - 0.5 * (apart ** 2).sum(2)
        prior = -0.5 * (torch.exp(q).square().sum() + l.square().sum())
        return torch.logsumexp(beta, 1).sum() - n * torch.logsumexp(alpha, 0) + prior

    rows(f"gmm_{d}_{k}", lambda: likelihood(alpha, mu, q, l), lambda: gradient(likelihood, alpha, mu, q, l))


# ---- ba: all observations at once; two pullbacks ----
def ba(n, m, p):
    camera = torch.tensor([.01, -.02, .03, .1, -.2, .3, 400, 1, 2, 1e-7, 1e-13])[:, None].repeat(1, n)
    point, weight = torch.tensor([.3, -.2, -4])[:, None].repeat(1, m), torch.full((p,), .9)
    seen = torch.tensor([5., -3.])[:, None].repeat(1, p)

    def errors(c, x, w):
        r, centre = c[:3], c[3:6]
        x = x - centre
        square = (r * r).sum(0)
        turned = square > 0
        angle = torch.sqrt(torch.where(turned, square, 1.))
        axis = r / angle
        cos, sin = torch.cos(angle), torch.sin(angle)
        along = x * cos + torch.linalg.cross(axis, x, dim=0) * sin + axis * ((axis * x).sum(0) * (1 - cos))
        x = torch.where(turned, along, x + torch.linalg.cross(r, x, dim=0))
        flat = x[:2] / x[2]
        radius = (flat * flat).sum(0)
        return w * (flat * (1 + c[9] * radius + c[10] * radius ** 2) * c[6] + c[7:9] - seen)

    def observed():
        i = torch.arange(p)
        return camera[:, i % n], point[:, i % m], weight

    def objective():
        return errors(*observed()), 1 - weight ** 2

    def jacobian():
        leaves = [x.detach().requires_grad_() for x in observed()]
        e = errors(*leaves)
        parts = [torch.autograd.grad(e[k].sum(), leaves, retain_graph=k == 0) for k in range(2)]
        values = torch.cat([torch.cat((c, x, w[None])) for c, x, w in parts]).T.reshape(-1)
        i = torch.arange(p)[:, None]
        columns = torch.cat((11 * (i % n) + torch.arange(11), 11 * n + 3 * (i % m) + torch.arange(3), 11 * n + 3 * m + i), 1)
        i = i[:, 0]
        return (torch.cat((15 * torch.arange(2 * p + 1), 30 * p + 1 + i)),
                torch.cat((torch.cat((columns, columns), 1).reshape(-1), 11 * n + 3 * m + i)), torch.cat((values, -2 * weight)))

    rows(f"ba_{p}", objective, jacobian)


# ---- ht: rotations of all bones at once, the chain bone by bone; the Jacobian by forward sweeps side by side ----
def ht(vertices, count, bones=22):
    relative = torch.eye(4).repeat(bones, 1, 1)
    relative[:, :3, :3], relative[:, :3, 3:] = torch.linalg.qr(torch.randn(bones, 3, 3))[0], torch.randn(bones, 3, 1)
    inverse, base = torch.linalg.inv(relative), torch.cat((torch.randn(vertices, 3), torch.ones(vertices, 1)), 1)
    weights, triangles = torch.softmax(torch.randn(vertices, bones), 1), torch.randint(vertices, (1084, 3))
    parents = [-1] + [0 if i % 4 == 2 else i - 1 for i in range(1, bones)]
    corners, points = triangles[torch.randint(1084, (count,))], torch.randn(count, 3)
    theta, us = .1 * torch.randn(26), torch.rand(count, 2) / 2
    at = torch.tensor([[6 + 4 * f, 7 + 4 * f, 26, 8 + 4 * f, 26, 26, 9 + 4 * f, 26, 26] for f in range(5)]).reshape(15, 3)
    bent = torch.tensor([2 + 4 * f + k for f in range(5) for k in range(3)])
    where = torch.full((bones, 3), 26)
    where[bent] = at

    def matrices(entries, n):
        return torch.stack([torch.stack([x if torch.is_tensor(x) else torch.full((n,), float(x)) for x in row], -1) for row in entries], -2)

    def skin(theta):
        tx, tz, ty = torch.cat((theta, theta.new_zeros(1)))[where].T
        sx, cx, sy, cy, sz, cz = tx.sin(), tx.cos(), ty.sin(), ty.cos(), tz.sin(), tz.cos()
        turn = (matrices([[cz, -sz, 0, 0], [sz, cz, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], bones) @
                matrices([[cy, 0, sy, 0], [0, 1, 0, 0], [-sy, 0, cy, 0], [0, 0, 0, 1]], bones) @
                matrices([[1, 0, 0, 0], [0, cx, -sx, 0], [0, sx, cx, 0], [0, 0, 0, 1]], bones))
        steps, absolute = relative @ turn, []
        for bone in range(bones):
            absolute.append(steps[bone] if parents[bone] < 0 else absolute[parents[bone]] @ steps[bone])
        transforms = (torch.stack(absolute) @ inverse)[:, :3]
        positions = ((weights @ transforms.reshape(bones, 12)).reshape(-1, 3, 4) * base[:, None]).sum(2)
        angle = torch.linalg.vector_norm(theta[:3])
        x, y, z = axis = theta[:3] / angle
        s, c, zero = angle.sin(), angle.cos(), x * 0
        cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero)).reshape(3, 3)
        turned = c * torch.eye(3) + s * cross + (1 - c) * torch.outer(axis, axis)
        return positions @ turned.T + theta[3:6]

    def errors(theta, us):
        seen = skin(theta)[corners]
        u, v = us[:, :1], us[:, 1:]
        return (points - (u * seen[:, 0] + v * seen[:, 1] + (1 - u - v) * seen[:, 2])).reshape(-1)

    def jacobian():
        by_theta = torch.func.jacfwd(lambda theta: errors(theta, us))(theta)
        by_us = [torch.func.jvp(lambda us: errors(theta, us), (us,), (torch.eye(2)[k].expand(count, 2),))[1] for k in range(2)]
        return torch.cat((torch.stack(by_us, 1), by_theta), 1)

    rows(f"ht_{vertices}", lambda: errors(theta, us), jacobian)


# ---- lstm: the four gates of a step side by side ----
def lstm(layers, characters):
    main, extra, state = torch.randn(layers, 2, 4, 14), torch.randn(3, 14), torch.randn(layers, 2, 14)
    sequence = torch.bernoulli(torch.full((characters, 14), .5))

    def loss(main, extra):
        h, c = [s[0] for s in state], [s[1] for s in state]
        weights = [m[0] for m in main.unbind()]
        biases = [m[1] for m in main.unbind()]
        inputs = (sequence[:-1] * extra[0]).unbind()
        outputs = []
        for x in inputs:
            for i in range(layers):
                gates = torch.stack((x, h[i], x, h[i])) * weights[i] + biases[i]
                forget, ingate, outgate = torch.sigmoid(gates[:3]).unbind()
                c[i] = c[i] * forget + ingate * torch.tanh(gates[3])
                x = h[i] = outgate * torch.tanh(c[i])
            outputs.append(x)
        y = torch.stack(outputs) * extra[1] + extra[2]
        return -(sequence[1:] * (y - torch.log(torch.exp(y).sum(1, keepdim=True) + 2))).mean()

    rows(f"lstm_{layers}_{characters}", lambda: loss(main, extra), lambda: gradient(loss, main, extra))


def kmeans(k, n, d):
    points = torch.rand(n, d)
    centroids = points[-k:].clone()

    def cost(centroids):
        apart = (points ** 2).sum(1)[:, None] + (centroids ** 2).sum(1) - 2 * points @ centroids.T
        return apart.min(1).values.sum()

    def step():
        x = centroids.detach().requires_grad_()
        slope, = torch.autograd.grad(cost(x), x, create_graph=True)
        curvature, = torch.autograd.grad(slope, x, torch.ones_like(x))
        return slope / curvature

    rows(f"kmeans_{k}_{n}", lambda: cost(centroids), step)


def lse(n):
    x = torch.rand(n)

    def log_sum_exp(x):
        greatest = x.max()
        return greatest + torch.log(torch.exp(x - greatest).sum())

    rows(f"lse_{n}", lambda: log_sum_exp(x), lambda: gradient(log_sum_exp, x))


def ode(n, s):
    x, one = torch.rand(n), torch.ones(1)

    def solve(x):
        f = lambda y: x * torch.cat((one, y[:-1]))
        y, h = torch.zeros(n), 2 / s
        for _ in range(s):
            k1 = f(y)
            k2 = f(y + h * k1 / 2)
            k3 = f(y + h * k2 / 2)
            k4 = f(y + h * k3)
            y = y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
        return y

    rows(f"ode_{n}_{s}", lambda: solve(x), lambda: gradient(lambda x: solve(x)[-1], x))


# ---- det: the sum over all permutations, twice: by products along them, and by cofactors level by level ----
def det(size):
    a = torch.rand(size, size)

    def expansion(a):
        left, levels = torch.arange(size)[None], []
        for k in range(size, 1, -1):
            levels.append(left)
            i = torch.arange(k - 1)
            left = left[:, i + (i >= torch.arange(k)[:, None])].reshape(-1, k - 1)
        minors = a[size - 1][left[:, 0]]
        for row in range(size - 2, -1, -1):
            signs = (-1.) ** torch.arange(size - row)
            minors = (signs * a[row][levels[row]] * minors.reshape(-1, size - row)).sum(1)
        return minors[0]

    rows(f"det_{size}", lambda: expansion(a), lambda: gradient(expansion, a))
    permutations = torch.tensor(list(itertools.permutations(range(size))))
    matrix = torch.eye(size)[permutations]
    signs = torch.linalg.det(matrix).round()
    lines = torch.arange(size)

    def permuted(a):
        return (signs * a[lines, permutations].prod(1)).sum()

    rows(f"det_permutations_{size}", lambda: permuted(a), lambda: gradient(permuted, a))


def llsq(m, n):
    x = torch.randn(m)

    def cost(x):
        t = torch.linspace(-1, 1, n)
        powers = torch.cat((torch.ones(1, n), t.expand(m - 1, n))).cumprod(0)
        return ((torch.sign(t) - x @ powers) ** 2).sum() / 2

    rows(f"llsq_{m}_{n}", lambda: cost(x), lambda: gradient(cost, x))

    def by_rows(x):
        t = torch.linspace(-1, 1, n)
        powers = torch.cat((torch.ones(n, 1), t[:, None].expand(n, m - 1)), 1).cumprod(1)
        return ((torch.sign(t) - powers @ x) ** 2).sum() / 2

    rows(f"llsq_rows_{m}_{n}", lambda: by_rows(x), lambda: gradient(by_rows, x))


gmm(10, 10, 1000)
gmm(64, 25, 1000)
ba(20, 500, 2000)
ba(49, 7776, 31843)
ht(544, 100)
lstm(2, 1024)
kmeans(100, 1000, 16)
lse(160000)
ode(1000, 100)
det(8)
llsq(128, 4096)
