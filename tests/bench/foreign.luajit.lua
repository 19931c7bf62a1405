local ffi = require("ffi")
ffi.cdef([[
    typedef struct { long seconds, nanoseconds; } timespec;
    int clock_gettime(int clock, timespec *t);
    double fabs(double x); double j0(double x);
    void qsort(double *x, size_t n, size_t size, int (*compare)(const double *, const double *));
]])
local libm = ffi.load("libm.so.6")
local fabs, j0 = libm.fabs, libm.j0

-- Seconds by the clock on the wall, as adl's time(): os.clock() leaves out what a busy neighbour took.
local t = ffi.new("timespec")
local function now()
    ffi.C.clock_gettime(0, t)
    return tonumber(t.seconds) + tonumber(t.nanoseconds) * 1e-9
end

local function took(f)   -- as clock.adl: the median of five, after two to get warm
    f() f()
    local times = {}
    for k = 1, 5 do
        local before = now()
        f()
        times[k] = now() - before
    end
    table.sort(times)
    return times[3]
end

local n = 1e7
local function empty() local y = 0; for i = 1, n do y = y + i end; return y end
local function calling() local y = 0; for i = 1, n do y = y + fabs(i) end; return y end
print("call", (took(calling) - took(empty)) / n * 1e9)

local x, y = ffi.new("double[1000000]"), ffi.new("double[1000000]")
for i = 0, 999999 do x[i] = i / 999999 end
print("map", took(function() for i = 0, 999999 do y[i] = j0(x[i]) end end) / 1e6 * 1e9)

for i = 0, 99999 do x[i] = math.random() end
local start = now()
ffi.C.qsort(x, 100000, 8, function(a, b) local u, v = a[0], b[0]; return u < v and -1 or u > v and 1 or 0 end)
print("qsort", (now() - start) * 1e3)
