import sys
import peer
import torch
import torch.nn.functional as F
peer.threads = int(sys.argv[1])
torch.set_num_threads(peer.threads)
ending = (sys.argv[2] if len(sys.argv) > 2 else "") + "_" + sys.argv[1]
def say(name, f): peer.say(name + ending, peer.took(f, .2))

n = 10_000_000
a, b, c, d = (torch.rand(n, dtype=torch.float64) for _ in range(4))
m = torch.rand(1024, 1024, dtype=torch.float64)
with torch.no_grad():
    say("expression", lambda: a * b + c * torch.exp(-d))
    say("product", lambda: m @ m)
    if len(sys.argv) > 2: sys.exit()
    say("exp", lambda: torch.exp(a))
    say("sum", lambda: a.sum())
    say("sum_of_exp", lambda: torch.exp(a).sum())
    say("softmax", lambda: torch.softmax(a, 0))
    lines = torch.randn(1000, 1000)
    say("sort", lambda: torch.sort(lines))
    say("draws", lambda: torch.randn(1_000_000, dtype=torch.float64))
v = [x.requires_grad_() for x in (a, b, c, d)]
def swept():
    for x in v: x.grad = None
    (a * b + c * torch.exp(-d)).sum().backward()
say("swept", swept)
w = [torch.randn(32, 16, 28, 28, requires_grad=True), torch.randn(32, 16, 3, 3, requires_grad=True)]
def convolution():
    for x in w: x.grad = None
    F.conv2d(*w, padding=1).sum().backward()
say("convolution", convolution)
images, labels = torch.rand(64, 784), torch.randint(0, 10, (64,))
net = [torch.randn(784, 256) / 28, torch.zeros(256), torch.randn(256, 10) / 16, torch.zeros(10)]
net = [x.requires_grad_() for x in net]
def network():
    for x in net: x.grad = None
    F.cross_entropy(torch.relu(images @ net[0] + net[1]) @ net[2] + net[3], labels).backward()
    with torch.no_grad():
        for x in net: x -= .1 * x.grad
say("network", network)
