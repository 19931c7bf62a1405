. tests/terminal.sh
terminal 80 24
enters '[1, 2] + [1, 2, 3]'; sees 'they broadcast if, from the last axis on, lengths are equal or one of them
    is 1'
enters 'help'; sees 'earlier statements that begin with, or contain, what is
                        typed'
enters ':load nofile'; sees 'No such file'; sees 'adl>'
presses C-l; enters '??gradient'; sees 'zero_grad         fills the gradient slots of x with zeros; takes trees'
sees "returns the…"                          # what is cut is cut at a word, and says so
terminal 20 30
enters '[1] - [1, 2, 3] * [1, 2]'; sees '  = they broadcast
    if, from the
    last axis on,
    lengths are
    equal or one of
    them is 1'
enters '?sin'; sees '    adjoint of the
    result r:'; sees '    sin(0)    # => 0'
enters 'ones(9, 9) / 3'; sees '
# shape [9, 9]'
enters '??cube'; sees 'cbrt
  cube root'
terminal 20 30; sees '
leaves.
'
enters 'x = attach_grad(1)' ':vars'; sees 'x  number
# gradient slot'
enters ':mem'; sees 'tape
  0 steps, 1
  gradient slot'
enters 'import nn' 'nn'; sees '<module with apply,
 count, state,'
