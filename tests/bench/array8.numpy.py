import numpy
from time import time
n = 200_000
x = numpy.ones(8) * 0.999; y = numpy.ones(8)
start = time()
for i in range(n):
    y = y * x
    y = y + x
print((time() - start) / (2 * n) * 1e9)
