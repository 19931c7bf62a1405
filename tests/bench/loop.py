from time import time
n = 10_000_000
start = time()
s = 0.0; i = 0.0
while i < n:
    s = s + i * 0.5
    i = i + 1
print((time() - start) / n * 1e9)
