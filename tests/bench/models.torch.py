from peer import took, say
import torch
import torch.nn.functional as F
torch.set_num_threads(1)
torch.manual_seed(1)

def update(parameters, rate):
    with torch.no_grad():
        for p in parameters:
            p -= rate * p.grad
            p.grad = None

x, y = torch.randn(200, 10, dtype=torch.float64), (torch.rand(200) > .5).double()
w, b = torch.zeros(10, dtype=torch.float64, requires_grad=True), torch.zeros((), dtype=torch.float64, requires_grad=True)
def logistic():
    F.binary_cross_entropy_with_logits(x @ w + b, y).backward()
    update((w, b), .1)
say("logistic", took(logistic), 1e3)

images, labels = torch.rand(64, 784), torch.randint(10, (64,))
net = [(torch.randn(784, 256) / 28), torch.zeros(256), (torch.randn(256, 10) / 16), torch.zeros(10)]
net = [p.requires_grad_() for p in net]
def network():
    F.cross_entropy(torch.relu(images @ net[0] + net[1]) @ net[2] + net[3], labels).backward()
    update(net, .1)
say("network", took(network), 1e3)

inputs, lstm = torch.randn(64, 16, 32), torch.nn.LSTM(32, 64)
def recurrent():
    lstm.zero_grad(set_to_none=True)
    h = lstm(inputs)[1][0]
    (h * h).sum().backward()
say("lstm", took(recurrent), 1e3)

# the same, operation by operation, as the program for adl has it
x, y, b = (p.requires_grad_() for p in (torch.randn(32, 256) / 8, torch.randn(64, 256) / 8, torch.zeros(256)))
def cells():
    x.grad = y.grad = b.grad = None
    h = c = torch.zeros(16, 64)
    given = inputs @ x + b
    for t in range(64):
        gates = given[t] + h @ y
        s = torch.sigmoid(gates[:, :192])
        c = s[:, 64:128] * c + s[:, :64] * torch.tanh(gates[:, 192:])
        h = s[:, 128:] * torch.tanh(c)
    (h * h).sum().backward()
say("cells", took(cells), 1e3)

gru = torch.nn.GRU(32, 64)
def gated():
    gru.zero_grad(set_to_none=True)
    h = gru(inputs)[1]
    (h * h).sum().backward()
say("gru", took(gated), 1e3)

x, y = ((torch.randn(n, 192) / 8).requires_grad_() for n in (32, 64))
b, n_b = (torch.zeros(n).requires_grad_() for n in (192, 64))
def gated():
    x.grad = y.grad = b.grad = n_b.grad = None
    h = torch.zeros(16, 64)
    given = inputs @ x + b
    for t in range(64):
        from_h = h @ y
        s = torch.sigmoid(given[t][:, :128] + from_h[:, :128])
        n = torch.tanh(given[t][:, 128:] + s[:, :64] * (from_h[:, 128:] + n_b))
        h = n + s[:, 64:] * (h - n)
    (h * h).sum().backward()
say("gated", took(gated), 1e3)

pictures, kernels = torch.randn(32, 16, 28, 28, requires_grad=True), torch.randn(32, 16, 3, 3, requires_grad=True)
def convolution():
    pictures.grad = kernels.grad = None
    F.conv2d(pictures, kernels, padding=1).sum().backward()
say("conv2d", took(convolution), 1e3)

def strided():
    pictures.grad = kernels.grad = None
    F.conv2d(pictures, kernels, stride=2, padding=1).sum().backward()
say("conv2d_strided", took(strided), 1e3)
def pooled():
    pictures.grad = None
    F.max_pool2d(pictures, 2).sum().backward()
say("max_pool", took(pooled), 1e3)

digits = torch.rand(64, 1, 28, 28)
small = [torch.randn(16, 1, 3, 3) / 3, torch.zeros(16), torch.randn(32, 16, 3, 3) / 12, torch.zeros(32),
         torch.randn(1568, 10) / 40, torch.zeros(10)]
small = [p.requires_grad_() for p in small]
def convolutional():
    h = F.max_pool2d(torch.relu(F.conv2d(digits, small[0], small[1], padding=1)), 2)
    h = F.max_pool2d(torch.relu(F.conv2d(h, small[2], small[3], padding=1)), 2)
    F.cross_entropy(h.reshape(64, 1568) @ small[4] + small[5], labels).backward()
    update(small, .01)
say("convolutional", took(convolutional), 1e3)
