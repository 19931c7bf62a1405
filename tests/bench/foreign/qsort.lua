local ffi = require("ffi")
ffi.cdef("void qsort(double *x, size_t n, size_t size, int (*compare)(const double *, const double *));")
local x = ffi.new("double[100000]")
for i = 0, 99999 do x[i] = math.random() end
local start = os.clock()
ffi.C.qsort(x, 100000, 8, function(a, b) local u, v = a[0], b[0]; return u < v and -1 or u > v and 1 or 0 end)
print((os.clock() - start) * 1e3)
