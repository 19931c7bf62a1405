# At the prompt each statement is a text of its own; what explains a missing gradient may be any of them.
. tests/terminal.sh
terminal 80 50
enters 'x = attach_grad(2)' 'record < y = detach(x) * 3; f = y + 1 >' 'why(x, f)'
sees 'why grad(x) is missing
  - detach in adl[2] cuts y off from x'
presses C-l
enters 'p = x * 3' 'record < q = p * 2 >' 'backward(q)'
sees 'error: nothing to sweep: q depends on x by p only, and p was computed in adl[4]'
sees '= compute p inside record < ... >, so that the step from x is on the tape'
presses C-l
enters 'record < q = floor(x) >' 'backward(q)'; sees '= why(x, q) names the place'
enters 'why(x, q)'; sees '- q in adl[7] passes nothing back to x: floor is flat'
presses C-l
enters 'record < g = x * x >' 'backward(g)' 'backward(g)'; sees 'error: g was already swept in adl[11]'
presses C-l
enters 'x = x * 1' 'grad(x)'; sees 'error: x lost its gradient slot in adl[13]'
