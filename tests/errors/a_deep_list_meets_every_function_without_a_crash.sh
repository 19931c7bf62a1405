. tests/lib.sh
for what in 'print(x)' 'str(x)' 'x == x' 'x + 1' '-x' 'zeros_like(x)' 'attach_grad(x)' 'grad(x)' 'detach(x)' 'equal(x, x)' \
            'grad(t -> 1)(x)' 'to_json(x)' 'f"{x}"' 'x + x' 'len(x)' 'concat(x)' 'error(x)'; do
    text=$("$adl" -e "x = (); for i in range(200000) { x = (x,) }; y = x; y = (y,); $what" 2>&1 >/dev/null); status=$?
    [ $status -le 1 ] || echo "$what on a deep list: status $status"
done
