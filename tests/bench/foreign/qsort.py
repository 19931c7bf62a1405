import ctypes, random, time
libc = ctypes.CDLL(None)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_double))
random.seed(1)
x = (ctypes.c_double * 100000)(*[random.gauss(0, 1) for i in range(100000)])
def order(a, b):
    a, b = a[0], b[0]
    return -1 if a < b else 1 if a > b else 0
start = time.perf_counter()
libc.qsort(x, ctypes.c_size_t(100000), ctypes.c_size_t(8), compare(order))
print((time.perf_counter() - start) * 1e3)
