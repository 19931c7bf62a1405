import ctypes
import random
import time
from peer import say, took

libm, libc = ctypes.CDLL("libm.so.6"), ctypes.CDLL(None)
for function in (libm.fabs, libm.j0):
    function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
fabs, j0 = libm.fabs, libm.j0
n = 300000


def empty():
    i = 0
    while i < n: y = i; i = i + 1


def calling():
    i = 0
    while i < n: y = fabs(i); i = i + 1


say("call", took(calling, 0) - took(empty, 0), n)

x = [i / 99999 for i in range(100000)]
say("map", took(lambda: [j0(v) for v in x], 0), 100000)

compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_double))
random.seed(1)
unsorted = (ctypes.c_double * 100000)(*[random.gauss(0, 1) for i in range(100000)])


def order(a, b):
    a, b = a[0], b[0]
    return -1 if a < b else 1 if a > b else 0


start = time.perf_counter()
libc.qsort(unsorted, ctypes.c_size_t(100000), ctypes.c_size_t(8), compare(order))
print("qsort", (time.perf_counter() - start) * 1e3)
