from peer import took, say
import numpy as np
for n in (64, 128, 256, 512, 1024, 2048):
    a, b = np.random.rand(n, n), np.random.rand(n, n)
    say(f"product_{n}", took(lambda: a @ b), 1e3)
