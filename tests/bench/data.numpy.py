import os
import time
import numpy

folder = os.environ["BENCH_DATA"]


def read(name, f):
    start = time.perf_counter()
    f()
    print(name, (time.perf_counter() - start) * 1e3)


read("csv", lambda: numpy.loadtxt(folder + "/table.csv", delimiter=",", skiprows=1))
read("npy", lambda: numpy.load(folder + "/numbers.npy").sum())
