. tests/lib.sh
wants 1 error -e 'record < error("x") >'
wants 1 error -e 'grad(x -> error("inside"))(1)'
wants 1 error -e 'x = attach_grad(1); record < y = x * [1, 2] + [1, 2, 3] >'
wants 1 error -e 'map(x -> x[5], (1, 2))'
wants 1 error -e 'custom_grad(x -> x, (g, y, x) -> [1, 2, 3])(attach_grad(1)); x = attach_grad([1, 2]); f = custom_grad(x -> x, (g, y, x) -> g[7]); record < y = f(x) >; backward(y)'
