from time import time
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
start = time()
assert fib(30) == 832040
print((time() - start) * 1e3)
