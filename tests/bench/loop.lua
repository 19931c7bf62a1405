local clock = os.clock
n = 1e7
local start = clock()
s = 0.0; i = 0.0
while i < n do s = s + i * 0.5; i = i + 1 end
print((clock() - start) / n * 1e9)
