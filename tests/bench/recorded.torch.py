import torch
from time import time
n = 20_000
x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
start = time()
s = torch.tensor(0.0, dtype=torch.float64); i = 0
while i < n:
    s = s + i * x
    i = i + 1
s.backward()
print((time() - start) / (2 * n) * 1e9)
