# Calls of C. CPython: ctypes; LuaJIT: its ffi.
programs foreign
row call 'a call of `double(double)`, ns' '≤ 60'
row map '`j0` of 10⁶ numbers of an array, ns each' 'LuaJIT ≥ ×0.9'
row qsort '`qsort` of 10⁵ numbers by a function of the program, ms' 'CPython ≥ ×1'
