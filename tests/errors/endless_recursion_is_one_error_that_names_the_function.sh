. tests/lib.sh
wants 1 down -e 'fn down(n) { 1 + down(n + 1) }; down(0)'
wants 1 error -e 'f = x -> f(x); f(1)'
wants 1 error -e 'fn a(x) { b(x) }; fn b(x) { a(x) }; a(1)'
wants 1 error -e 'fn f(x) { map(f, (x,)) }; f(1)'
wants 1 error -e 'fn f(x) { grad(f)(x) }; f(1)'
wants 0 caught -e 'fn down(n) { 1 + down(n + 1) }; try { down(0) } catch err { print("caught") }'
