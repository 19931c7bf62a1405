from time import time
n = 1_000_000

def item_read():
    items = [1, 2, 3, 4]; s = 0.0; i = 0
    while i < n:
        s = s + items[i % 4]
        i = i + 1
    return s

def item_write():
    items = [1, 2, 3, 4]; i = 0
    while i < n:
        items[2] = items[1] + 1
        i = i + 1
    return items[2]

def element():
    x = [0.0] * 10; i = 0
    while i < n:
        x[3] = x[4] + 1
        i = i + 1
    return x[3]

def matrix_element():
    m = [[0.0] * 4 for _ in range(4)]; i = 0
    while i < n:
        m[1][2] = m[2][1] + 1
        i = i + 1
    return m[1][2]

def append_each():
    items = []; i = 0
    while i < n:
        items.append(i)
        i = i + 1
    return len(items)

def next_of(x): return x + 1

def call():
    i = 0
    while i < n:
        i = next_of(i)
    return i

def adder(a): return lambda x: x + a

def closure():
    after = adder(1); i = 0
    while i < n:
        i = after(i)
    return i

class Point:
    def __init__(self): self.x, self.v = 0, 1

def field():
    p = Point(); i = 0
    while i < n:
        p.x = p.x + p.v
        i = i + 1
    return p.x

def measured(row, work, expected):
    start = time()
    got = work()
    elapsed = time() - start
    assert got == expected
    print(row, elapsed / n * 1e9)

measured("item_read", item_read, 2.5 * n)
measured("item_write", item_write, 3)
measured("element", element, 1)
measured("matrix_element", matrix_element, 1)
measured("append", append_each, n)
measured("call", call, n)
measured("closure", closure, n)
measured("field", field, n)
