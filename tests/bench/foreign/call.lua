local ffi = require("ffi")
ffi.cdef("double fabs(double x);")
local fabs = ffi.load("libm.so.6").fabs
local function empty(n) local y = 0; local start = os.clock(); for i = 1, n do y = y + i end; return os.clock() - start, y end
local function calling(n) local y = 0; local start = os.clock(); for i = 1, n do y = y + fabs(i) end; return os.clock() - start, y end
print((calling(2e7) - empty(2e7)) / 2e7 * 1e9)
