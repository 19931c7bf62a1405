# Numbers in loops and calls.
programs loop
row loop '`s = s + i * 0.5; i = i + 1` in a while loop, ns a turn' 'CPython ≥ ×4, Lua ≥ ×0.87'
programs fib
row fib '`fib(30)`, ms' 'CPython ≥ ×1'
programs items
row item_read '`s = s + items[i % 4]` in such a loop, a list, ns a turn' 'CPython ≥ ×1'
row item_write '`items[2] = items[1] + 1`, ns a turn' 'CPython ≥ ×1'
row element '`x[3] = x[4] + 1`, an array, ns a turn' 'CPython ≥ ×1'
row matrix_element '`m[1, 2] = m[2, 1] + 1`, ns a turn' 'CPython ≥ ×1'
row append '`items = append(items, i)`, ns a turn' 'CPython ≥ ×1'
row call '`i = next(i)`, a call, ns a turn' 'CPython ≥ ×1'
row closure '`i = after(i)`, a closure, ns a turn' 'CPython ≥ ×1'
row field '`p.x = p.x + p.v`, a struct, ns a turn' 'CPython ≥ ×1'
programs recorded
row recorded 'a recorded operation on numbers, with its sweep, ns' '≤ 20, PyTorch ≥ ×150'
row recorded_fresh 'the same the first time, with the pages of the tape, ns' '≤ 40'
programs forward
row forward '1e5 turns of it by `jvp`, ns an operation' '≤ 50'
programs nested
row nested '`jvp(grad(x -> x * x * x), 2, 1)`, µs' '≤ 2'
programs array8
row array8 'an operation on 8 elements, ns' '≤ 60'
programs array8_recorded
row array8_recorded 'the same recorded, with its sweep, ns' '≤ 40, PyTorch ≥ ×75'
