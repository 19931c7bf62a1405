"""What the programs for Python share: one thread, buffers that are kept, and the clock of clock.adl."""
import ctypes
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
threads = 1

try:  # glibc gives large blocks back to the system at once unless told not to: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
    libc = ctypes.CDLL("libc.so.6")
    libc.mallopt(-3, 1 << 30)
    libc.mallopt(-1, (1 << 31) - 1)
except OSError:
    pass


def took(step, seconds=0.4):
    """Median seconds of a call, over `seconds` or five calls, whichever is longer; two more to get warm."""
    step(); step()
    times = []
    start, used = time.perf_counter(), time.process_time()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    cores = (time.process_time() - used) / (time.perf_counter() - start)
    if cores > 1.2 * threads: print(f"{sys.argv[0]} used {cores:.1f} cores, not {threads}", file=sys.stderr)
    return sorted(times)[len(times) // 2]


def say(name, seconds, items=1):
    print(name, seconds / items * 1e9, flush=True)
