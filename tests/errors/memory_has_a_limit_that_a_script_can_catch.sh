. tests/lib.sh
wants 1 memory --memory 50M -e 'x = zeros(1e8)'
wants 0 caught --memory 50M -e 'try { x = zeros(1e8) } catch err { print("caught", err.kind) }'
wants 1 memory --memory 50M -e 'xs = (); while true { xs = append(xs, zeros(1000)) }'
wants 1 memory --memory 50M -e 's = "ab"; while true { s = s + s }'
wants 1 memory --memory 50M -e 'x = attach_grad(1); record < y = x; while true { y = y * x } >'
wants 0 2000 --memory 50M -e 'for i in range(2000) { x = zeros(1e5) }; print(i + 1)'
