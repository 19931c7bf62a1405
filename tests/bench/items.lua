local clock, n = os.clock, 1000000
local function item_read()
    local items, s, i = {1, 2, 3, 4}, 0.0, 0
    while i < n do s = s + items[i % 4 + 1]; i = i + 1 end
    return s
end
local function item_write()
    local items, i = {1, 2, 3, 4}, 0
    while i < n do items[3] = items[2] + 1; i = i + 1 end
    return items[3]
end
local function element()
    local x, i = {}, 0
    for k = 1, 10 do x[k] = 0.0 end
    while i < n do x[4] = x[5] + 1; i = i + 1 end
    return x[4]
end
local function matrix_element()
    local m, i = {}, 0
    for k = 1, 4 do m[k] = {0.0, 0.0, 0.0, 0.0} end
    while i < n do m[2][3] = m[3][2] + 1; i = i + 1 end
    return m[2][3]
end
local function append_each()
    local items, i = {}, 0
    while i < n do items[#items + 1] = i; i = i + 1 end
    return #items
end
local function next_of(x) return x + 1 end
local function call()
    local i = 0
    while i < n do i = next_of(i) end
    return i
end
local function adder(a) return function(x) return x + a end end
local function closure()
    local after, i = adder(1), 0
    while i < n do i = after(i) end
    return i
end
local function field()
    local p, i = {x = 0, v = 1}, 0
    while i < n do p.x = p.x + p.v; i = i + 1 end
    return p.x
end
local function measured(row, work, expected)
    local start = clock()
    local got = work()
    local elapsed = clock() - start
    assert(got == expected)
    print(row, elapsed / n * 1e9)
end
measured("item_read", item_read, 2.5 * n)
measured("item_write", item_write, 3)
measured("element", element, 1)
measured("matrix_element", matrix_element, 1)
measured("append", append_each, n)
measured("call", call, n)
measured("closure", closure, n)
measured("field", field, n)
