import numpy
from time import time
n = 1_000_000; turns = 20
a = numpy.linspace(0, 1, n); b = numpy.linspace(1, 2, n); c = numpy.linspace(2, 3, n); d = numpy.linspace(0, 4, n)
r = a * b + c * numpy.exp(-d)
start = time()
for turn in range(turns): r = a * b + c * numpy.exp(-d)
print((time() - start) / (n * turns) * 1e9)
