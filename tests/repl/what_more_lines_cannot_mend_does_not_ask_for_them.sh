. tests/terminal.sh
terminal 80 30
enters 'x = attach_grad(3)' 'record < f = x > backward(f)'
sees 'this one compares'; sees 'put `;` or a newline behind it'
enters 'x++'; sees 'write x += 1, or x = x + 1'
enters 'record < y = x > 2' '>'               # a comparison may well go on
enters 'y'; sees 'adl> y
true'
