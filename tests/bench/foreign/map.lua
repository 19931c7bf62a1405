local ffi = require("ffi")
ffi.cdef("double j0(double x);")
local j0 = ffi.load("libm.so.6").j0
local x, y = ffi.new("double[1000000]"), ffi.new("double[1000000]")
for i = 0, 999999 do x[i] = i / 999999 end
local start = os.clock()
for i = 0, 999999 do y[i] = j0(x[i]) end
print((os.clock() - start) / 1e6 * 1e9)
