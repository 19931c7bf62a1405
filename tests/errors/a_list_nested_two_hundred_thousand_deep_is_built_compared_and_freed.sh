. tests/lib.sh
wants 0 done -e 'x = (); for i in range(200000) { x = (x,) }; x = 0; print("done")'
wants 0 done -e 'x = {}; for i in range(200000) { x = {k: x} }; x = 0; print("done")'
wants 0 done -e 'f = () -> 1; for i in range(200000) { f = ((g) -> () -> g)(f) }; f = 0; print("done")'
