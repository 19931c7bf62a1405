. tests/lib.sh
COLUMNS=60; export COLUMNS
wants 0 "1e-02  ############ 1.0e-05" -e 'check_grad(p -> sum(sin(p.w)) * p.b, {w: [1, 2], b: 3}, curve = true)'
widest=$("$adl" -e 'check_grad(p -> sum(sin(p.w)) * p.b, {w: [1, 2], b: 3}, curve = true)' | LC_ALL=C.UTF-8 wc -L)
[ "$widest" -le 60 ] || echo "a line of $widest columns"
