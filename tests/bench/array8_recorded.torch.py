import torch
from time import time
turns = 20; n = 1000
x = (torch.ones(8, dtype=torch.float64) * 0.999).requires_grad_()
start = time()
for turn in range(turns):
    y = torch.ones(8, dtype=torch.float64)
    for i in range(n):
        y = y * x
        y = y + x
    y.sum().backward()
print((time() - start) / (2 * n * turns) * 1e9)
