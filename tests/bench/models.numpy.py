from peer import took, say
import autograd.numpy as np
from autograd import grad
import numpy
x, y = numpy.random.randn(200, 10), (numpy.random.rand(200) > .5).astype(float)
def loss(w):
    z = x @ w[0] + w[1]
    return np.mean(np.logaddexp(0, z) - y * z)
slope, w = grad(loss), [numpy.zeros(10), 0.0]
def logistic():
    g = slope(w)
    for i in range(2): w[i] = w[i] - .1 * g[i]
say("logistic", took(logistic), 1e3)

f4 = numpy.float32
images, labels = numpy.random.rand(64, 784).astype(f4), numpy.random.randint(10, size=64)
net = [(numpy.random.randn(784, 256) / 28).astype(f4), numpy.zeros(256, f4),
       (numpy.random.randn(256, 10) / 16).astype(f4), numpy.zeros(10, f4)]
def entropy(net):
    z = np.maximum(images @ net[0] + net[1], 0) @ net[2] + net[3]
    z = z - np.max(z, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[numpy.arange(64), labels])
steps = grad(entropy)
def network():
    g = steps(net)
    for i in range(4): net[i] = net[i] - f4(.1) * g[i]
say("network", took(network), 1e3)
