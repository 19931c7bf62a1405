import torch
from time import time
n = 100_000
x = torch.ones(8, dtype=torch.float64) * 0.999; y = torch.ones(8, dtype=torch.float64)
start = time()
for i in range(n):
    y = y * x
    y = y + x
print((time() - start) / (2 * n) * 1e9)
