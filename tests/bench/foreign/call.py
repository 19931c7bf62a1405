import ctypes, time
fabs = ctypes.CDLL("libm.so.6").fabs
fabs.argtypes, fabs.restype = [ctypes.c_double], ctypes.c_double
def empty(n):
    i = 0; start = time.perf_counter()
    while i < n: y = i; i = i + 1
    return time.perf_counter() - start
def calling(n):
    i = 0; start = time.perf_counter()
    while i < n: y = fabs(i); i = i + 1
    return time.perf_counter() - start
print((calling(1000000) - empty(1000000)) / 1e6 * 1e9)
