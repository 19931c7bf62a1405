from peer import took, say
import torch
torch.set_num_threads(1)
with torch.no_grad():
    for n in (64, 128, 256, 512, 1024, 2048):
        a, b = torch.rand(n, n, dtype=torch.float64), torch.rand(n, n, dtype=torch.float64)
        say(f"product_{n}", took(lambda: a @ b), 1e3)
