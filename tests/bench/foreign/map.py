import ctypes, time
j0 = ctypes.CDLL("libm.so.6").j0
j0.argtypes, j0.restype = [ctypes.c_double], ctypes.c_double
x = [i / 999999 for i in range(1000000)]
start = time.perf_counter()
y = [j0(v) for v in x]
print((time.perf_counter() - start) / 1e6 * 1e9)
