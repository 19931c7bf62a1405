local ffi = require("ffi")
ffi.cdef([[
    double fabs(double x); double j0(double x);
    void qsort(double *x, size_t n, size_t size, int (*compare)(const double *, const double *));
]])
local libm = ffi.load("libm.so.6")
local fabs, j0 = libm.fabs, libm.j0

local function took(f)   -- as clock.adl: the median of five, after two to get warm
    f() f()
    local times = {}
    for k = 1, 5 do
        local before = os.clock()
        f()
        times[k] = os.clock() - before
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
local start = os.clock()
ffi.C.qsort(x, 100000, 8, function(a, b) local u, v = a[0], b[0]; return u < v and -1 or u > v and 1 or 0 end)
print("qsort", (os.clock() - start) * 1e3)
