. tests/terminal.sh
terminal 60 30
enters 'x = attach_grad(3)' 'record < f = x * x >' 'step(f)'; sees '[leaves] >'
presses Enter; sees '[forward 1 of 1] >'
enters 'r'; sees '[start of the reverse sweep] >'
presses C-c; sees 'every variable is as it was before this statement'
enters 'quiz(f)'; sees '1 of 1: what is the adjoint of x?'
enters '1'; sees 'not yet: 1 is not right.'
presses C-c; sees '1 | quiz(f)'
presses C-l
enters 'backward(f)' 'grad(x)'; sees '6'
enters 'step(f)'; sees '[leaves] >'
enters 'q' 'x'; sees '[leaves] > q
adl> x
3  # gradient slot'
presses C-l; types 'qui'; presses Tab; sees 'quiz'
presses C-c; enters '?step'; sees 'Walks through both sweeps'
