from peer import took, say
import jax
import jax.numpy as np
key = jax.random.key(1)
normal = lambda *shape: jax.random.normal(key, shape, np.float32)

def step(loss, w, rate=.1):
    g = jax.jit(lambda w: jax.tree.map(lambda p, q: p - p.dtype.type(rate) * q, w, jax.grad(loss)(w)))
    state = [w]
    def turn(): state[0] = jax.block_until_ready(g(state[0]))
    return turn

x, y = jax.random.normal(key, (200, 10), np.float64), (jax.random.uniform(key, (200,)) > .5).astype(np.float64)
def logistic(w):
    z = x @ w[0] + w[1]
    return np.mean(jax.nn.softplus(z) - y * z)
say("logistic", took(step(logistic, (np.zeros(10), np.zeros(())))), 1e3)

images, labels = jax.random.uniform(key, (64, 784), np.float32), jax.random.randint(key, (64,), 0, 10)
def network(w):
    logs = jax.nn.log_softmax(jax.nn.relu(images @ w[0] + w[1]) @ w[2] + w[3])
    return -np.mean(np.take_along_axis(logs, labels[:, None], 1))
zeros = lambda n: np.zeros(n, np.float32)
say("network", took(step(network, (normal(784, 256) / 28, zeros(256), normal(256, 10) / 16, zeros(10)))), 1e3)

inputs = normal(64, 16, 32)
def lstm(w):
    def cell(state, x):
        h, c = state
        i, f, o, g = np.split(x @ w[0] + h @ w[1] + w[2], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * np.tanh(g)
        return (jax.nn.sigmoid(o) * np.tanh(c), c), None
    start = np.zeros((16, 64), np.float32)
    (h, c), _ = jax.lax.scan(cell, (start, start), inputs)
    return np.sum(h * h)
def ready(f):
    g = jax.jit(f)
    return lambda *v: jax.block_until_ready(g(*v))
slope = ready(jax.grad(lstm))
w = (normal(32, 256) / 8, normal(64, 256) / 8, zeros(256))
say("lstm", took(lambda: slope(w)), 1e3)

def gru(w):
    def cell(h, x):
        given, from_h = x @ w[0] + w[2], h @ w[1]
        s = jax.nn.sigmoid(given[:, :128] + from_h[:, :128])
        n = np.tanh(given[:, 128:] + s[:, :64] * (from_h[:, 128:] + w[3]))
        return n + s[:, 64:] * (h - n), None
    h, _ = jax.lax.scan(cell, np.zeros((16, 64), np.float32), inputs)
    return np.sum(h * h)
gated = ready(jax.grad(gru))
w = (normal(32, 192) / 8, normal(64, 192) / 8, zeros(192), zeros(64))
say("gru", took(lambda: gated(w)), 1e3)

pictures, kernels = normal(32, 16, 28, 28), normal(32, 16, 3, 3)
conv = ready(jax.grad(lambda v: np.sum(jax.lax.conv(v[0], v[1], (1, 1), "SAME"))))
say("conv2d", took(lambda: conv((pictures, kernels))), 1e3)
